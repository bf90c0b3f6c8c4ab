import 'reflect-metadata';
import { type EventEmitter, getEventListeners } from 'node:events';
import { InterceptingCall, type Interceptor, type Metadata, type StatusObject, status } from '@grpc/grpc-js';
import type { GrpcCallOptions, GrpcClient, UnaryCall } from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FORMS, startChild } from '../propagation/child-call.js';
import {
  type ConnectedClient,
  caseName,
  closeAll,
  connect,
  deferred,
  errorOf,
  messagesOf,
  REPLY,
  REQUEST,
  type ServedCall,
  serveAll,
  start,
  thrownBy,
} from './served-calls.js';

let leaf: RunningLeaf;
let connected: ConnectedClient;
let client: GrpcClient<LeafClient>;

beforeAll(async () => {
  leaf = await startLeaf();
  connected = connect(leaf.address);
  client = connected.client;
});

afterAll(async () => {
  await closeAll();
  await leaf[Symbol.asyncDispose]();
});

async function arrivalsInTheEnd(caseId: string): Promise<number> {
  const later = startChild(client, 'unary', 'promise', `after ${caseId}`);
  (await leaf.arrived(`after ${caseId}`)).answer();
  await later;
  return leaf.arrivals(caseId);
}

function inCase(caseId: string, options: GrpcCallOptions = {}): GrpcCallOptions {
  return { ...options, metadata: { [CASE_KEY]: caseId } };
}

/** Goes on with the call when `until` has settled. */
function delaying(until: Promise<unknown>): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        void until.finally(() => next(metadata, listener));
      },
    });
}

describe.each(CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const)))('%s, %s form', (kind, form) => {
  test('run in order, the first outermost, once per call', async () => {
    const caseId = caseName();
    const events: string[] = [];
    const tracing =
      (name: string): Interceptor =>
      (options, nextCall) => {
        events.push(`${name} made`);
        return new InterceptingCall(nextCall(options), {
          start: (metadata, listener, next) => {
            events.push(`${name} start`);
            next(metadata, {
              onReceiveStatus: (received, nextStatus) => {
                events.push(`${name} status`);
                nextStatus(received);
              },
            });
          },
        });
      };
    const outcome = startChild(client, kind, form, caseId, { interceptors: [tracing('a'), tracing('b')] });
    (await leaf.arrived(caseId)).answer();

    expect(await outcome).toBeUndefined();
    expect(events).toEqual(['a made', 'b made', 'a start', 'b start', 'b status', 'a status']);
  });

  test("see the call's deadline, and may set another, as a Date too", async () => {
    const caseId = caseName();
    const seen: unknown[] = [];
    const deadline = Date.now() + 60_000;
    const shorten: Interceptor = (options, nextCall) => {
      seen.push(options.deadline);
      return new InterceptingCall(nextCall({ ...options, deadline: new Date(Date.now() + 20_000) }));
    };
    const outcome = startChild(client, kind, form, caseId, { deadline, interceptors: [shorten] });
    const arrival = await leaf.arrived(caseId);
    arrival.answer();

    expect(await outcome).toBeUndefined();
    expect(seen).toEqual([deadline]);
    expect(arrival.deadline).toBeGreaterThan(Date.now() + 10_000);
    expect(arrival.deadline).toBeLessThan(Date.now() + 30_000);
  });

  test('set a deadline that passes: the error says whose', async () => {
    const shorten: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall({ ...options, deadline: Date.now() + 150 }));

    const error = await startChild(client, kind, form, caseName(), { timeoutMs: 60_000, interceptors: [shorten] });

    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error?.details).toMatch(/\(the deadline that an interceptor set\)$/);
  });

  test('change the metadata, and may leave the rest of the options out', async () => {
    const caseId = caseName();
    const { signal } = new AbortController();
    const stamp: Interceptor = ({ method_definition }, nextCall) =>
      new InterceptingCall(nextCall({ method_definition }), {
        start: (metadata, listener, next) => {
          metadata.set('x-stamp', 'stamped');
          next(metadata, listener);
        },
      });
    const outcome = startChild(client, kind, form, caseId, { interceptors: [stamp], signal });
    const arrival = await leaf.arrived(caseId);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    arrival.answer();

    expect(await outcome).toBeUndefined();
    expect(arrival.metadata.get('x-stamp')).toEqual(['stamped']);
  });

  test('change the status', async () => {
    const caseId = caseName();
    const translate: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start: (metadata, listener, next) =>
          next(metadata, {
            onReceiveStatus: (received, nextStatus) =>
              nextStatus({ ...received, code: status.FAILED_PRECONDITION, details: `was ${received.code}` }),
          }),
      });
    const outcome = startChild(client, kind, form, caseId, { interceptors: [translate] });
    (await leaf.arrived(caseId)).fail(status.ABORTED, 'no');

    expect(await outcome).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'was 10' });
  });

  test('come from interceptor_providers as well', async () => {
    const caseId = caseName();
    const paths: string[] = [];
    const outcome = startChild(client, kind, form, caseId, {
      interceptor_providers: [
        ({ path }) => {
          paths.push(path);
          return (options, nextCall) => new InterceptingCall(nextCall(options));
        },
      ],
    });
    (await leaf.arrived(caseId)).answer();

    expect(await outcome).toBeUndefined();
    expect(paths).toHaveLength(1);
    expect(paths[0]!.toLowerCase()).toBe(`/grpc_di.test.v1.leaf/${kind.toLowerCase()}`);
  });

  test('throw at the call site, and leave nothing running', async () => {
    await using own = connect(leaf.address);
    const { signal } = new AbortController();
    const broken: Interceptor = () => {
      throw new Error('no token');
    };
    const pass: Interceptor = (options, nextCall) => new InterceptingCall(nextCall(options));

    const error = thrownBy(() =>
      startChild(own.client, kind, form, caseName(), { interceptors: [pass, broken], signal }),
    );

    expect(error.message).toBe('no token');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await own.factory.close();
  });

  describe('that go on later', () => {
    test('delay the call, whatever was asked of it before', async () => {
      const caseId = caseName();
      const go = deferred();
      const outcome = startChild(client, kind, form, caseId, {
        interceptors: [delaying(go.promise)],
        timeoutMs: 3_000,
      });
      // A loop, a 'data' listener or a write has begun by now.
      await new Promise(setImmediate);
      expect(leaf.arrivals(caseId)).toBe(0);
      go.resolve();
      (await leaf.arrived(caseId)).answer();

      expect(await outcome).toBeUndefined();
    });

    test('find a call whose signal has aborted: it ends, and nothing reaches the server', async () => {
      const caseId = caseName();
      const go = deferred();
      const controller = new AbortController();
      const outcome = startChild(client, kind, form, caseId, {
        interceptors: [delaying(go.promise)],
        signal: controller.signal,
      });
      await new Promise(setImmediate);
      controller.abort('enough');
      go.resolve();

      expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
      expect(await arrivalsInTheEnd(caseId)).toBe(0);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });

    test('find a call whose deadline has passed: it ends, and nothing reaches the server', async () => {
      const caseId = caseName();
      const waitForDeadline: Interceptor = (options, nextCall) => {
        const passed = new Promise((resolve) => setTimeout(resolve, Number(options.deadline) - Date.now() + 10));
        return delaying(passed)(options, nextCall);
      };
      const outcome = startChild(client, kind, form, caseId, { interceptors: [waitForDeadline], timeoutMs: 20 });

      expect(await outcome).toMatchObject({
        code: status.DEADLINE_EXCEEDED,
        details: "Deadline exceeded (the call's own deadline)",
      });
      expect(await arrivalsInTheEnd(caseId)).toBe(0);
    });
  });
});

describe.each(CALL_KINDS)('%s: a call whose interceptor goes on later', (kind) => {
  test('can be cancelled before: it ends, and nothing reaches the server', async () => {
    const caseId = caseName();
    const go = deferred();
    const call = start(client, kind, inCase(caseId, { interceptors: [delaying(go.promise)] }));
    const outcome = errorOf(call);
    await new Promise(setImmediate);
    call.cancel('enough');
    go.resolve();

    expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    expect((await call.status).code).toBe(status.CANCELLED);
    await expect(call.headers).rejects.toMatchObject({ code: status.CANCELLED });
    expect(await arrivalsInTheEnd(caseId)).toBe(0);
  });

  test('has its headers, messages and status in the end', async () => {
    const caseId = caseName();
    const go = deferred();
    const call = start(client, kind, inCase(caseId, { interceptors: [delaying(go.promise)], timeoutMs: 3_000 }));
    const [headers, ended, messages] = [call.headers, call.status, messagesOf(call)];
    await new Promise(setImmediate);
    go.resolve();
    (await leaf.arrived(caseId)).answer();

    expect(await messages).toEqual([REPLY]);
    expect((await ended).code).toBe(status.OK);
    await headers;
  });
});

describe.each(['serverStream', 'bidi'] as const)('%s: destroy() while an interceptor goes on later', (kind) => {
  test('does not let a running loop pass for a success', async () => {
    const go = deferred();
    const call =
      kind === 'serverStream'
        ? client.serverStream(REQUEST, { interceptors: [delaying(go.promise)] })
        : client.bidi([REQUEST], { interceptors: [delaying(go.promise)] });
    const outcome = errorOf(call);
    await new Promise(setImmediate);

    call.destroy();
    // 'close' comes before the interceptor goes on.
    await new Promise(setImmediate);
    go.resolve();

    expect((await outcome).code).toBe(status.CANCELLED);
  });
});

/** Starts the call anew on any failure, as grpc-js's guide to interceptors does; three attempts at most. */
function retrying(attempts: StatusObject[]): Interceptor {
  return (options, nextCall) => {
    let sent: { metadata: Metadata; message: unknown };
    return new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        sent = { metadata, message: undefined };
        let reply: unknown;
        const attempt = (received: StatusObject, done: () => void): void => {
          attempts.push(received);
          if (received.code === status.OK || attempts.length === 3) {
            listener.onReceiveMessage(reply);
            done();
            return;
          }
          const again = nextCall(options);
          again.start(sent.metadata, {
            onReceiveMetadata: () => {},
            onReceiveMessage: (message: unknown) => {
              reply = message;
            },
            onReceiveStatus: (received: StatusObject) => attempt(received, () => listener.onReceiveStatus(received)),
          });
          again.sendMessage(sent.message);
          again.halfClose();
        };
        next(metadata, {
          onReceiveMetadata: (headers, nextHeaders) => nextHeaders(headers),
          onReceiveMessage: (message: unknown) => {
            reply = message;
          },
          onReceiveStatus: (received, nextStatus) => attempt(received, () => nextStatus(received)),
        });
      },
      sendMessage(message, next) {
        sent.message = message;
        next(message);
      },
    });
  };
}

describe('an interceptor that starts a second attempt', () => {
  /** A unary call whose first attempt has failed, and whose second is at the server. */
  async function inSecondAttempt(options: GrpcCallOptions = {}) {
    const caseId = caseName();
    const attempts: StatusObject[] = [];
    const call = client.unary(REQUEST, inCase(caseId, { ...options, interceptors: [retrying(attempts)] }));
    const outcome = call.then(
      (response) => ({ response, error: undefined }),
      (error: unknown) => ({ response: undefined, error }),
    );
    (await leaf.arrived(caseId)).fail(status.UNAVAILABLE, 'later');
    while (leaf.arrivals(caseId) < 2) {
      await new Promise(setImmediate);
    }
    return { caseId, call, outcome };
  }

  test('succeeds with the second response', async () => {
    const caseId = caseName();
    const deadlines: number[] = [];
    await using served = await serveAll(({ call, answer, fail }) => {
      deadlines.push(Number(call.getDeadline()));
      if (deadlines.length === 1) {
        fail(status.UNAVAILABLE, 'later');
      } else {
        answer();
      }
    });
    const attempts: StatusObject[] = [];

    const call = served.client.unary(
      REQUEST,
      inCase(caseId, { timeoutMs: 60_000, interceptors: [retrying(attempts)] }),
    );

    expect(await call).toEqual(REPLY);
    expect((await call.status).code).toBe(status.OK);
    expect(attempts.map(({ code }) => code)).toEqual([status.UNAVAILABLE, status.OK]);
    // One deadline, as the server understood it twice: it counts from the arrival of each.
    expect(Math.abs(deadlines[1]! - deadlines[0]!)).toBeLessThan(1_000);
  });

  test.each(['cancel()', 'the signal'])('%s ends the second attempt, and starts no third', async (how) => {
    const controller = new AbortController();
    const { call, outcome, caseId } = await inSecondAttempt({ signal: controller.signal, timeoutMs: 3_000 });

    if (how === 'cancel()') {
      call.cancel('enough');
    } else {
      controller.abort('enough');
    }

    expect((await outcome).error).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    expect(await arrivalsInTheEnd(caseId)).toBe(2);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test.each(['cancel()', 'the signal'])('%s in the first attempt starts no second', async (how) => {
    const caseId = caseName();
    const controller = new AbortController();
    const call = client.unary(
      REQUEST,
      inCase(caseId, { signal: controller.signal, timeoutMs: 3_000, interceptors: [retrying([])] }),
    );
    const outcome = errorOf(call);
    await leaf.arrived(caseId);

    if (how === 'cancel()') {
      call.cancel('enough');
    } else {
      controller.abort('enough');
    }

    expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    expect(await arrivalsInTheEnd(caseId)).toBe(1);
  });
});

/** Starts three attempts at once; the first status that comes is the call's. */
const racing: Interceptor = (options, nextCall) => {
  const others: Array<ReturnType<typeof nextCall>> = [];
  return new InterceptingCall(nextCall(options), {
    start(metadata, listener, next) {
      for (let other = 0; other < 2; other++) {
        const attempt = nextCall(options);
        others.push(attempt);
        attempt.start(metadata.clone(), { onReceiveStatus: () => {} });
      }
      next(metadata, listener);
    },
    sendMessage(message, next) {
      for (const attempt of others) {
        attempt.sendMessage(message);
        attempt.halfClose();
      }
      next(message);
    },
  });
};

test.each(['cancel()', 'the signal', 'cancel() in the callback form'])(
  '%s ends all attempts that an interceptor has started at once',
  async (how) => {
    const served: ServedCall[] = [];
    const allThere = deferred();
    const allCancelled = deferred();
    let cancelled = 0;
    await using server = await serveAll((attempt) => {
      (attempt.call as EventEmitter).on('cancelled', () => {
        cancelled++;
        if (cancelled === 3) {
          allCancelled.resolve();
        }
      });
      if (served.push(attempt) === 3) {
        allThere.resolve();
      }
    });
    const controller = new AbortController();
    const options = { interceptors: [racing], signal: controller.signal };
    const ended = deferred<unknown>();
    const call =
      how === 'cancel() in the callback form'
        ? server.client.unary(REQUEST, options, ended.resolve)
        : server.client.unary(REQUEST, options);
    const outcome = 'then' in call ? errorOf(call) : ended.promise;
    await allThere.promise;

    if (how === 'the signal') {
      controller.abort('enough');
    } else {
      (call as UnaryCall<unknown>).cancel('enough');
    }

    expect(await outcome).toMatchObject({ code: status.CANCELLED, ...('then' in call ? { cause: 'enough' } : {}) });
    await allCancelled.promise;
    await server.factory.close();
  },
);
