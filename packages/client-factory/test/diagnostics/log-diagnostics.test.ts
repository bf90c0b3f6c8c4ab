import 'reflect-metadata';
import { Console } from 'node:console';
import { channel } from 'node:diagnostics_channel';
import { Writable } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { CallContextScope } from '@grpc-di/call-context/opener';
import {
  type CallContextPropagationOptions,
  createGrpcClient,
  type DiagnosticsLogger,
  diagnosticsChannels,
  type GrpcCallOptions,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  type LogDiagnosticsOptions,
  logGrpcDiagnostics,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Container } from 'inversify';
import { pino } from 'pino';
import { errorOf, REQUEST } from '../call/served-calls.js';

type Line = [level: string, ...args: unknown[]];

const METHOD = '/grpc_di.test.v1.Leaf/Unary';
const CALL = `gRPC call \\d+ of ${METHOD} \\(client 'users'\\)`;

let leaf: RunningLeaf;
let container: Container;
let client: GrpcClient<LeafClient>;
let caseNumber = 0;

beforeAll(async () => {
  leaf = await startLeaf();
  container = new Container();
  client = newClient();
  // Opens the channel, of which most tests do not want to hear.
  client.getChannel().getChannelzRef();
});

afterAll(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await leaf[Symbol.asyncDispose]();
});

function newClient(
  name = 'users',
  onContextNotFound: CallContextPropagationOptions['onContextNotFound'] = 'throw',
): GrpcClient<LeafClient> {
  createGrpcClient(container, LeafClient, {
    name,
    address: leaf.address,
    enableCallContextPropagation: { onContextNotFound },
  });
  return getGrpcClient(container, LeafClient, name);
}

/** A logger that keeps what it is given. */
function keeper(): { logger: DiagnosticsLogger; lines: Line[] } {
  const lines: Line[] = [];
  const keep =
    (level: string) =>
    (...args: unknown[]): void => {
      lines.push([level, ...args]);
    };
  return { logger: { debug: keep('debug'), info: keep('info'), warn: keep('warn') }, lines };
}

/** A call in a context named `/shop.v1.Orders/Place`, that the server answers, fails or leaves alone. */
async function call(
  options: GrpcCallOptions = {},
  serve: 'answer' | { fail: status; details: string } | 'wait' = 'answer',
): Promise<void> {
  const caseId = `log/${++caseNumber}`;
  const scope = new CallContextScope({ name: '/shop.v1.Orders/Place' });
  const started = scope.run(() => client.unary(REQUEST, { ...options, metadata: { [CASE_KEY]: caseId } }));
  if (serve === 'answer') {
    (await leaf.arrived(caseId)).answer();
    await started;
  } else if (serve === 'wait') {
    await errorOf(started);
  } else {
    (await leaf.arrived(caseId)).fail(serve.fail, serve.details);
    await errorOf(started);
  }
  scope.end();
}

async function linesOf(run: () => unknown, options?: LogDiagnosticsOptions): Promise<Line[]> {
  const { logger, lines } = keeper();
  using _log = logGrpcDiagnostics(logger, options);
  await run();
  return lines;
}

const START = new RegExp(`^${CALL} to \\S+ starts, without a deadline in the call of /shop.v1.Orders/Place$`);

describe('what happens is told at a level of its own', () => {
  const line = (level: string, text: string | RegExp): Line => [level, expect.stringMatching(text)];

  test('success: debug', async () => {
    expect(await linesOf(() => call())).toEqual([
      line('debug', START),
      line('debug', `^${CALL} to \\S+ ended with OK after \\d+\\.\\d ms$`),
    ]);
  });

  test('a failure: info, and its details on one line', async () => {
    const details = 'no such user\n2026-01-01 ERROR forged %s %o';
    expect(await linesOf(() => call({}, { fail: status.NOT_FOUND, details }))).toEqual([
      line('debug', START),
      line('info', /ended with NOT_FOUND "no such user\\n2026-01-01 ERROR forged %s %o" after \d+\.\d ms$/),
    ]);
  });

  test("a failure that is cancelled or too late, by the server's word: debug", async () => {
    const lines = await linesOf(async () => {
      await call({}, { fail: status.CANCELLED, details: 'theirs' });
      await call({}, { fail: status.DEADLINE_EXCEEDED, details: 'theirs' });
    });
    expect(lines.map(([level]) => level)).toEqual(['debug', 'debug', 'debug', 'debug']);
  });

  test('a deadline that passes: debug', async () => {
    expect(await linesOf(() => call({ timeoutMs: 400 }, 'wait'))).toEqual([
      line('debug', / starts, \d+ ms before its own deadline in the call of/),
      line(
        'debug',
        `^${CALL} is cancelled by deadline: DEADLINE_EXCEEDED "Deadline exceeded \\(the call's own deadline\\)"$`,
      ),
      line('debug', /ended with DEADLINE_EXCEEDED ".*" after \d+\.\d ms \(by deadline\)$/),
    ]);
  });

  test('a call that is refused: debug', async () => {
    expect(await linesOf(() => call({ signal: AbortSignal.abort('too late') }, 'wait'))).toEqual([
      line('debug', START),
      line('debug', /is refused with CANCELLED "Cancelled by the call's signal" after \d+\.\d ms \(by signal\)$/),
    ]);
  });

  test('a cancellation with a reason: debug', async () => {
    const signal = new AbortController();
    const lines = await linesOf(async () => {
      const ended = call({ signal: signal.signal }, 'wait');
      signal.abort(new Error('the user\nleft'));
      await ended;
    });
    expect(lines[1]).toEqual(
      line(
        'debug',
        /is cancelled by signal: CANCELLED "Cancelled by the call's signal", reason "Error: the user\\nleft"$/,
      ),
    );
  });

  test.each([
    ['throw', 'warn'],
    ['warn', 'warn'],
    ['ignore', 'debug'],
  ] as const)('no context, which is to %s: %s', async (onContextNotFound, level) => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const name = `outside-${onContextNotFound}`;
    const outside = newClient(name, onContextNotFound);
    const [first] = await linesOf(() => {
      try {
        void errorOf(outside.unary(REQUEST));
      } catch {
        // 'throw' does.
      }
    });
    expect(first).toEqual(line(level, `^gRPC client '${name}' propagates .* found none to call ${METHOD} in`));
    warning.mockRestore();
  });

  test('a channel that is opened and closed: debug', async () => {
    const lines = await linesOf(async () => {
      newClient('short').getChannel().getChannelzRef();
      await container.get(GrpcClientFactory).close({ names: ['short'] });
    });
    expect(lines).toEqual([
      line('debug', /^gRPC channel \d+ to \S+ is opened, insecure$/),
      line('debug', /^gRPC channel \d+ to \S+ is closed: gRPC client 'short' is closed: /),
    ]);
  });
});

describe('level', () => {
  test.each([
    ['debug', Object.values(diagnosticsChannels)],
    ['info', [diagnosticsChannels.callEnd, diagnosticsChannels.contextNotFound]],
    ['warn', [diagnosticsChannels.contextNotFound]],
  ] as const)('%s listens to no more than it logs', (level, heard) => {
    using _log = logGrpcDiagnostics(keeper().logger, { level });
    for (const name of Object.values(diagnosticsChannels)) {
      expect([name, channel(name).hasSubscribers]).toEqual([name, (heard as readonly string[]).includes(name)]);
    }
  });

  test('leaves out what is below it', async () => {
    const lines = await linesOf(
      async () => {
        await call();
        await call({}, { fail: status.INTERNAL, details: 'broken' });
      },
      { level: 'info' },
    );
    expect(lines).toEqual([['info', expect.stringContaining('INTERNAL "broken"')]]);
  });
});

describe('real loggers', () => {
  function collect(): { stream: Writable; text(): string } {
    const chunks: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, written) {
        chunks.push(String(chunk));
        written();
      },
    });
    return { stream, text: () => chunks.join('') };
  }

  const FAILURE = { fail: status.NOT_FOUND, details: '100% %s' } as const;
  const FAILED_LINE = `^${CALL} to \\S+ ended with NOT_FOUND "100% %s" after \\d+\\.\\d ms$`;

  test('console: the text alone', async () => {
    const output = collect();
    using _log = logGrpcDiagnostics(new Console(output.stream), { level: 'info' });
    await call({}, FAILURE);
    expect(output.text().trimEnd()).toMatch(new RegExp(FAILED_LINE));
  });

  test.each([false, true])('pino: the text, with fields: %s', async (fields) => {
    const output = collect();
    using _log = logGrpcDiagnostics(pino({ level: 'debug' }, output.stream), { fields, level: 'info' });
    await call({}, FAILURE);
    const { msg, ...others } = JSON.parse(output.text());
    expect(msg).toMatch(new RegExp(FAILED_LINE));
    expect({ method: others.method, code: others.code }).toEqual(
      fields ? { method: METHOD, code: status.NOT_FOUND } : { method: undefined, code: undefined },
    );
  });
});

describe('a log', () => {
  test('ends with unsubscribe(), and again is no error', async () => {
    const { logger, lines } = keeper();
    const log = logGrpcDiagnostics(logger);
    log.unsubscribe();
    log.unsubscribe();
    await call();
    expect(lines).toEqual([]);
    expect(channel(diagnosticsChannels.callStart).hasSubscribers).toBe(false);
  });

  test('of a logger that throws harms no call, and warns once', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const broken = (): never => {
      throw new Error('disk full');
    };
    using _log = logGrpcDiagnostics({ debug: broken, info: broken, warn: broken });
    await call();
    await call();
    expect(warning.mock.calls).toEqual([
      [expect.stringMatching(/^logGrpcDiagnostics\(logger\): the logger threw, which is told once: Error: disk full/)],
    ]);
    warning.mockRestore();
  });

  test.each<[string, unknown, unknown, string]>([
    ['no logger', undefined, undefined, 'the logger must have a method debug(), as console has'],
    ['a logger without warn()', { debug() {}, info() {} }, undefined, 'the logger must have a method warn()'],
    ['an unknown option', console, { levels: 'info' }, 'unknown option "levels": it takes level and fields'],
    ['an unknown level', console, { level: 'error' }, "level must be 'debug', 'info' or 'warn', not 'error'"],
    ['fields that are no boolean', console, { fields: 1 }, 'fields must be a boolean, not 1'],
  ])('is refused for %s', (_name, logger, options, complaint) => {
    expect(() => logGrpcDiagnostics(logger as never, options as never)).toThrow(TypeError);
    expect(() => logGrpcDiagnostics(logger as never, options as never)).toThrow(complaint);
    expect(channel(diagnosticsChannels.callEnd).hasSubscribers).toBe(false);
  });
});
