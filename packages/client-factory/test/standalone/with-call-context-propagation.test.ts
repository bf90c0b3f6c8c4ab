import {
  type ChannelInterface,
  type ClientOptions,
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  CallContextNotFoundError,
  createGrpcClient,
  GrpcClientFactory as Factory,
  type GrpcClientFactory,
  getGrpcClient,
  runInCallContext,
  withCallContextPropagation,
} from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type CallKind, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from '../propagation/front-server.js';

// Clients and channels that are grpc-js's own, given the propagation of the factory's.

let leaf: RunningLeaf;
const clients: LeafClient[] = [];

beforeAll(async () => {
  leaf = await startLeaf();
});
afterEach(() => {
  for (const client of clients.splice(0)) {
    client.close();
  }
});
afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

function bareClient(options: ClientOptions = {}): LeafClient {
  const client = new LeafClient(leaf.address, credentials.createInsecure(), options);
  clients.push(client);
  return client;
}

let lastCase = 0;
const newCase = (): string => `case ${++lastCase}`;

/** Starts a call in grpc-js's own form; resolves with its error, or with `undefined`. */
function start(client: LeafClient, kind: CallKind, metadata: Metadata): Promise<ServiceError | undefined> {
  let settle!: (error?: ServiceError | null) => void;
  const outcome = new Promise<ServiceError | undefined>((resolve) => {
    settle = (error) => resolve(error ?? undefined);
  });
  switch (kind) {
    case 'unary':
      client.unary(REQUEST, metadata, settle);
      break;
    case 'serverStream':
      client.serverStream(REQUEST, metadata).on('error', settle).on('end', settle).resume();
      break;
    case 'clientStream':
      client.clientStream(metadata, settle).end();
      break;
    case 'bidi':
      client.bidi(metadata).on('error', settle).on('end', settle).resume().end();
  }
  return outcome;
}

function metadataOf(caseId: string): Metadata {
  const metadata = new Metadata();
  metadata.set(CASE_KEY, caseId);
  return metadata;
}

const WAYS: Array<[string, () => LeafClient]> = [
  ['a client', () => withCallContextPropagation(bareClient())],
  [
    'a channel',
    () => {
      const channelOverride: ChannelInterface = withCallContextPropagation(bareClient().getChannel());
      return new LeafClient('nowhere', credentials.createInsecure(), { channelOverride });
    },
  ],
];

describe.each(WAYS)('%s', (_name, propagating) => {
  describe.each(CALL_KINDS)('%s', (kind) => {
    test("takes over its parent's deadline", async () => {
      const caseId = newCase();
      const deadline = Date.now() + 60_000;

      const outcome = runInCallContext({ deadline }, () => start(propagating(), kind, metadataOf(caseId)));

      const arrival = await leaf.arrived(caseId);
      expect(Math.abs(arrival.deadline - deadline)).toBeLessThan(1_000); // the header counts from its arrival
      arrival.answer();
      expect(await outcome).toBeUndefined();
    });

    test("is cancelled by its parent's signal", async () => {
      const caseId = newCase();
      const controller = new AbortController();

      const outcome = runInCallContext({ signal: controller.signal }, () =>
        start(propagating(), kind, metadataOf(caseId)),
      );
      const arrival = await leaf.arrived(caseId);
      controller.abort();

      await arrival.cancelled;
      expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: { name: 'CallCancelledError' } });
    });

    test('does not start when its parent is cancelled already', async () => {
      const caseId = newCase();

      const outcome = await runInCallContext({ signal: AbortSignal.abort() }, () =>
        start(propagating(), kind, metadataOf(caseId)),
      );

      expect(outcome?.code).toBe(status.CANCELLED);
      expect(leaf.arrivals(caseId)).toBe(0);
    });

    test('throws at the call site where there is no context', () => {
      expect(() => start(propagating(), kind, metadataOf(newCase()))).toThrow(CallContextNotFoundError);
    });
  });
});

test('metadata is copied by name, into no object of the user', async () => {
  const caseId = newCase();
  const client = withCallContextPropagation(bareClient(), { metadata: ['x-request-id'] });
  const requestMetadata = new Metadata();
  requestMetadata.set('x-request-id', '17');
  const own = metadataOf(caseId);

  const outcome = runInCallContext({ requestMetadata }, () => start(client, 'unary', own));

  const arrival = await leaf.arrived(caseId);
  arrival.answer();
  await outcome;
  expect(arrival.metadata.get('x-request-id')).toEqual(['17']);
  expect(own.get('x-request-id')).toEqual([]);
});

test("the client's own interceptors stay, and what was passed knows nothing of contexts", async () => {
  const seen: string[] = [];
  const interceptor: Interceptor = (options, nextCall) => {
    seen.push(options.method_definition.path);
    return new InterceptingCall(nextCall(options));
  };
  const bare = bareClient({ interceptors: [interceptor] });
  const client = withCallContextPropagation(bare);
  const inContext = newCase();
  const outside = newCase();

  const outcomes = [
    runInCallContext({}, () => start(client, 'unary', metadataOf(inContext))),
    start(bare, 'unary', metadataOf(outside)),
  ];
  (await leaf.arrived(inContext)).answer();
  (await leaf.arrived(outside)).answer();

  expect(await Promise.all(outcomes)).toEqual([undefined, undefined]);
  expect(seen).toHaveLength(2);
  expect(client).toBeInstanceOf(LeafClient);
});

test('closing it closes what was passed', () => {
  const bare = bareClient();
  const client = withCallContextPropagation(bare);

  client.close();

  const closed = 'Channel has been shut down';
  expect(() => start(bare, 'unary', metadataOf(newCase()))).toThrow(closed);
  expect(() => runInCallContext({}, () => start(client, 'unary', metadataOf(newCase())))).toThrow(closed);
});

test('twice is the same as once', () => {
  const client = withCallContextPropagation(bareClient());
  expect(withCallContextPropagation(client)).toBe(client);
  const channel = withCallContextPropagation(bareClient().getChannel());
  expect(withCallContextPropagation(channel)).toBe(channel);
});

describe('a client of the factory', () => {
  let container: Container;
  let factory: GrpcClientFactory;

  function registered(enableCallContextPropagation: boolean): LeafClient {
    container = new Container();
    createGrpcClient(container, LeafClient, { address: leaf.address, enableCallContextPropagation });
    factory = container.get(Factory);
    return getGrpcClient(container, LeafClient);
  }

  afterEach(async () => {
    await factory.close();
  });

  test('that propagates comes back itself', () => {
    const client = registered(true);
    expect(withCallContextPropagation(client)).toBe(client);
  });

  test('that does not is to be registered with it', () => {
    const client = registered(false);
    expect(() => withCallContextPropagation(client)).toThrow(
      new TypeError(
        "withCallContextPropagation: gRPC client 'grpc_di.test.v1.Leaf' is registered in a container: register it with " +
          'enableCallContextPropagation: true instead',
      ),
    );
  });
});

test.each<[unknown, unknown, string]>([
  [null, {}, 'null is neither a client nor a channel of this very @grpc/grpc-js'],
  [{}, {}, '{} is neither a client nor a channel of this very @grpc/grpc-js'],
  [
    'client',
    { deadlines: true },
    'options.deadlines is unknown; there are deadline, cancellation, metadata, deadlineMarginMs, onContextNotFound',
  ],
  ['client', true, 'options must be an object, not true'],
])('withCallContextPropagation(%p, %p) says what is wrong', (what, options, text) => {
  const passed = what === 'client' ? bareClient() : what;
  expect(() => withCallContextPropagation(passed as never, options as never)).toThrow(
    new TypeError(`withCallContextPropagation: ${text}`),
  );
});
