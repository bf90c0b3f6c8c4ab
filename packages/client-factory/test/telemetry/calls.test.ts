import { status } from '@grpc/grpc-js';
import { CALL_KINDS } from '@grpc-di/test-rig';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RecordedSpan } from './fixtures/span-recorder.js';
import { runTraced } from './run-traced.js';

interface Recorded {
  /** The leaf server's. */
  readonly port: number;
  readonly spans: Record<string, RecordedSpan[]>;
  /** The names in the metadata that the calls were given, when they are over. */
  readonly headersPassed: string[];
}

let recorded: Recorded;

beforeAll(async () => {
  recorded = (await runTraced('calls')) as Recorded;
}, 60_000);

interface End {
  readonly code: status;
  readonly message: string;
  /** How far the call came before it ended. */
  readonly came: 'nowhere' | 'to the server' | 'to its headers';
}

const CANCELLED: End = { code: status.CANCELLED, message: '1 CANCELLED: Cancelled on client', came: 'to the server' };

/** Of every client, grpc-js's own too. */
const ENDS: Record<string, End> = {
  answered: { code: status.OK, message: '', came: 'to its headers' },
  failed: { code: status.ABORTED, message: '10 ABORTED: told to', came: 'to the server' },
  cancelled: CANCELLED,
};

const OWN_ENDS: Record<string, End> = {
  ...ENDS,
  'past its deadline': {
    code: status.DEADLINE_EXCEEDED,
    message: "4 DEADLINE_EXCEEDED: Deadline exceeded (the call's own deadline)",
    came: 'nowhere',
  },
};

const BY_PARENT: End = {
  code: status.CANCELLED,
  message: '1 CANCELLED: Cancelled by the parent: The call context was cancelled by its signal',
  came: 'to the server',
};

const PROPAGATED_ENDS: Record<string, End> = {
  ...OWN_ENDS,
  'cancelled by its parent': BY_PARENT,
  'refused by its parent': { ...BY_PARENT, came: 'nowhere' },
};

describe.each([
  ['grpc-js, callback', ENDS],
  ['injected, promise', OWN_ENDS],
  ['injected, callback', OWN_ENDS],
  ['propagating, promise', PROPAGATED_ENDS],
  ['propagating, callback', PROPAGATED_ENDS],
])('a call (%s) has one span, under its caller’s and over the server’s', (client, ends) => {
  test.each(CALL_KINDS.flatMap((kind) => Object.entries(ends).map(([name, end]) => [kind, name, end] as const)))(
    '%s, %s',
    (kind, name, end) => {
      expectSpan(`${client}, ${kind}, ${name}`, kind, end);
    },
  );
});

describe.each(['injected', 'propagating'])('a streaming loop that is left early ends the span (%s)', (client) => {
  test.each(['serverStream', 'bidi'])('%s', (kind) => {
    expectSpan(`${client}, promise, ${kind}, left early`, kind, { ...CANCELLED, came: 'to its headers' });
  });
});

test('the caller’s metadata stays as it is: traceparent goes into a copy', () => {
  expect(recorded.headersPassed).toEqual(['x-case']);
});

test('requiring grpc-js once, instead of the hook, gives the same spans', async () => {
  const { port, spans } = (await runTraced('calls', [], { PATCH_BY: 'require' })) as Recorded;

  expect(JSON.parse(JSON.stringify(spans).replaceAll(`${port}`, `${recorded.port}`))).toEqual(recorded.spans);
}, 60_000);

function expectSpan(caseId: string, kind: string, { code, message, came }: End): void {
  const method = kind.charAt(0).toUpperCase() + kind.slice(1);
  const name = `grpc.grpc_di.test.v1.Leaf/${method}`;
  const isStreaming = kind === 'serverStream' || kind === 'bidi';
  expect(recorded.spans[caseId]).toEqual([
    {
      name,
      kind: 'CLIENT',
      attributes: {
        'rpc.system': 'grpc',
        'rpc.service': 'grpc_di.test.v1.Leaf',
        'rpc.method': method,
        'server.address': '127.0.0.1',
        'server.port': recorded.port,
        'rpc.grpc.status_code': code,
        'rpc.request.metadata.x_case': [caseId],
        ...(came === 'to its headers' && { 'rpc.response.metadata.content_type': ['application/grpc+proto'] }),
        ...(code !== status.OK && { 'grpc.error_name': 'Error', 'grpc.error_message': message }),
      },
      // 2 is ERROR, 0 UNSET; the instrumentation gives the message to streams only.
      status: code === status.OK ? { code: 0 } : { code: 2, ...(isStreaming && { message }) },
      isOpen: false,
      children: came === 'nowhere' ? [] : [expect.objectContaining({ name, kind: 'SERVER', children: [] })],
    },
  ]);
}
