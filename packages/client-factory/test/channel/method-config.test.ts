import 'reflect-metadata';
import { type EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import { type GrpcCallOptions, runInCallContext, type ServiceConfig } from '@grpc-di/client-factory';
import { afterAll, describe, expect, test } from '@jest/globals';
import { toServiceConfigOption } from '../../dist/channel/service-config.js';
import {
  type ConnectedClient,
  closeAll,
  connect,
  errorOf,
  first,
  REPLY,
  REQUEST,
  type ServedCall,
  serveAll,
  start,
} from '../call/served-calls.js';

afterAll(closeAll);

// What the method configs of a service config do to calls; deadlines and cancellation over attempts are shown in
// call/retries.test.ts and propagation/attempts.test.ts.

const LEAF = 'grpc_di.test.v1.Leaf';

function configured(config: ServiceConfig): { channelOptions: Record<string, string> } {
  return { channelOptions: { 'grpc.service_config': toServiceConfigOption(config) } };
}

/** A server that does `handle` to each attempt, counted from 1, and a client with the service config. */
async function serveAttempts(
  config: ServiceConfig,
  handle: (attempt: number, served: ServedCall) => void,
): Promise<ConnectedClient & { readonly attempts: ServedCall[] }> {
  const attempts: ServedCall[] = [];
  const served = await serveAll((call) => handle(attempts.push(call), call), configured(config));
  return { ...served, attempts };
}

const RETRY = {
  maxAttempts: 3,
  initialBackoff: '0.01s',
  maxBackoff: '0.01s',
  backoffMultiplier: 1,
  retryableStatusCodes: ['UNAVAILABLE', status.ABORTED],
} as const;

describe('a retry policy', () => {
  const retries: ServiceConfig = { methodConfig: [{ name: [{}], retryPolicy: RETRY }] };

  test.each([
    ['UNAVAILABLE', 3],
    ['ABORTED', 3],
    ['INTERNAL', 1],
    ['DEADLINE_EXCEEDED', 1],
    ['PERMISSION_DENIED', 1],
  ] as const)('%s is attempted %d time(s)', async (code, count) => {
    await using served = await serveAttempts(retries, (_attempt, call) => call.fail(status[code], 'no'));

    expect(await errorOf(start(served.client, 'unary'))).toMatchObject({ code: status[code], details: 'no' });
    expect(served.attempts).toHaveLength(count);
  });

  test('tells the server how many attempts there were', async () => {
    await using served = await serveAttempts(retries, (attempt, call) =>
      attempt < 3 ? call.fail(status.UNAVAILABLE, 'later') : call.answer(),
    );

    expect(await served.client.unary(REQUEST)).toEqual(REPLY);
    const counts = served.attempts.map(({ call }) => call.metadata.get('grpc-previous-rpc-attempts'));
    expect(counts).toEqual([[], ['1'], ['2']]);
  });

  test('leaves calls alone whose response has begun', async () => {
    await using served = await serveAttempts(retries, (_attempt, { call, fail }) => {
      (call as unknown as { write(reply: unknown): void }).write(REPLY);
      setImmediate(fail, status.UNAVAILABLE, 'too late');
    });

    const error = await errorOf(start(served.client, 'serverStream'));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'too late' });
    expect(served.attempts).toHaveLength(1);
  });

  test.each([
    ['the method', { service: LEAF, method: 'Unary' }, { unary: 3, serverStream: 1 }],
    ['the service', { service: LEAF }, { unary: 3, serverStream: 3 }],
    ['another service', { service: 'users.v1.Users' }, { unary: 1, serverStream: 1 }],
    ['everything', {}, { unary: 3, serverStream: 3 }],
  ] as const)('for %s counts where it is named', async (_what, name, counts) => {
    const config: ServiceConfig = { methodConfig: [{ name: [name], retryPolicy: RETRY }] };
    for (const kind of ['unary', 'serverStream'] as const) {
      await using served = await serveAttempts(config, (_attempt, call) => call.fail(status.UNAVAILABLE, 'no'));

      await errorOf(start(served.client, kind));

      expect(served.attempts).toHaveLength(counts[kind]);
    }
  });

  test('of a method takes the place of that of its service, and of the default', async () => {
    const config: ServiceConfig = {
      methodConfig: [
        { name: [{}], timeout: '0.001s' },
        { name: [{ service: LEAF }], retryPolicy: RETRY },
        { name: [{ service: LEAF, method: 'Unary' }], retryPolicy: { ...RETRY, maxAttempts: 2 } },
      ],
    };
    await using served = await serveAttempts(config, (_attempt, call) => call.fail(status.UNAVAILABLE, 'no'));

    expect(await errorOf(start(served.client, 'unary'))).toMatchObject({ code: status.UNAVAILABLE });
    expect(served.attempts).toHaveLength(2);
  });

  test('is not followed where too many calls fail', async () => {
    const config: ServiceConfig = { ...retries, retryThrottling: { maxTokens: 4, tokenRatio: 0.001 } };
    await using served = await serveAttempts(config, (_attempt, call) => call.fail(status.UNAVAILABLE, 'no'));
    const attemptsOf = async (): Promise<number> => {
      const { length } = served.attempts;
      await errorOf(start(served.client, 'unary'));
      return served.attempts.length - length;
    };

    // There are retries while more than two of the four tokens are left.
    expect(await attemptsOf()).toBe(2);
    expect(await attemptsOf()).toBe(1);
    expect(await attemptsOf()).toBe(1);
  });
});

describe('a hedging policy', () => {
  const hedging = (hedgingPolicy: object): ServiceConfig => ({
    methodConfig: [{ name: [{}], hedgingPolicy: { maxAttempts: 3, ...hedgingPolicy } }],
  });

  test('takes the first answer, and ends the other attempts', async () => {
    const othersCancelled: Array<Promise<unknown>> = [];
    await using served = await serveAttempts(hedging({ hedgingDelay: '0.01s' }), (attempt, { call, answer }) => {
      if (attempt < 3) {
        othersCancelled.push(first(call as EventEmitter, 'cancelled'));
      } else {
        answer();
      }
    });

    expect(await served.client.unary(REQUEST)).toEqual(REPLY);

    expect(othersCancelled).toHaveLength(2);
    await Promise.all(othersCancelled);
  });

  test('without a delay makes all attempts at once', async () => {
    await using served = await serveAttempts(hedging({}), (attempt, call) => {
      if (attempt === 3) {
        call.answer();
      }
    });

    expect(await served.client.unary(REQUEST)).toEqual(REPLY);
    expect(served.attempts).toHaveLength(3);
  });

  test.each([
    ['a fatal status ends the call', [], 1],
    ['a status that is not fatal starts the next attempt', ['UNAVAILABLE'], 3],
  ])('%s', async (_what, nonFatalStatusCodes, count) => {
    // The delay alone would outlast the test.
    const config = hedging({ hedgingDelay: '3600s', nonFatalStatusCodes });
    await using served = await serveAttempts(config, (_attempt, call) => call.fail(status.UNAVAILABLE, 'no'));

    expect(await errorOf(start(served.client, 'unary'))).toMatchObject({ code: status.UNAVAILABLE, details: 'no' });
    expect(served.attempts).toHaveLength(count);
  });
});

describe('a timeout', () => {
  const SOON = '0.1s';
  const LATE = '3600s';
  const LATE_MS = 3_600_000;
  const SOON_MS = 100;

  interface TimeoutCase {
    readonly timeout: typeof SOON | typeof LATE;
    readonly call?: GrpcCallOptions;
    readonly parentMs?: number;
    readonly details: RegExp;
  }

  // grpc-js gives its own timeout no other words than those of a deadline; its server, where it is first, fewer.
  const BY_TIMEOUT = /^Deadline exceeded($| after \d+\.\d{3}s)/;

  test.each<[string, TimeoutCase]>([
    ['ends a call without a deadline', { timeout: SOON, details: BY_TIMEOUT }],
    ['ends a call with a later deadline', { timeout: SOON, call: { timeoutMs: LATE_MS }, details: BY_TIMEOUT }],
    ['ends a call with a later parent', { timeout: SOON, parentMs: LATE_MS, details: BY_TIMEOUT }],
    [
      "leaves a call's earlier deadline",
      { timeout: LATE, call: { timeoutMs: SOON_MS }, details: /\(the call's own deadline\)/ },
    ],
    ["leaves the parent's earlier deadline", { timeout: LATE, parentMs: SOON_MS, details: /parent/ }],
  ])('%s', async (_what, { timeout, call, parentMs, details }) => {
    const arrived: ServedCall[] = [];
    await using served = await serveAll((servedCall) => arrived.push(servedCall), {
      ...configured({ methodConfig: [{ name: [{}], timeout }] }),
      enableCallContextPropagation: { onContextNotFound: 'ignore' },
    });
    const startedAt = Date.now();

    const error = runInCallContext({ timeoutMs: parentMs ?? Infinity }, () =>
      errorOf(start(served.client, 'unary', call)),
    );

    expect(await error).toMatchObject({ code: status.DEADLINE_EXCEEDED, details: expect.stringMatching(details) });
    // Node's timers may be a millisecond early.
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(SOON_MS - 2);
    // A busy machine may not bring the call to the server in time; there it was told the earliest.
    for (const { call: reached } of arrived) {
      expect(Number(reached.getDeadline()) - startedAt).toBeLessThan(LATE_MS / 2);
    }
  });

  test('holds for all attempts together', async () => {
    const config: ServiceConfig = {
      methodConfig: [
        {
          name: [{}],
          timeout: SOON,
          retryPolicy: { ...RETRY, initialBackoff: '3600s', maxBackoff: '3600s' },
        },
      ],
    };
    await using served = await serveAttempts(config, (_attempt, call) => call.fail(status.UNAVAILABLE, 'later'));

    expect(await errorOf(start(served.client, 'unary'))).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringMatching(BY_TIMEOUT),
    });
  });
});

// checkServiceConfig refuses it for this reason: when it fails, grpc-js has learned to read it.
test("grpc-js does not read a method's waitForReady", async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  const config = { methodConfig: [{ name: [{}], waitForReady: true }] } as unknown as ServiceConfig;
  await using connected = connect(`127.0.0.1:${port}`, configured(config));

  const error = await errorOf(start(connected.client, 'unary', { timeoutMs: 60_000 }));

  expect(error.code).toBe(status.UNAVAILABLE);
});
