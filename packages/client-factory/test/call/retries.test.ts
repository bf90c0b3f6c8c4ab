import 'reflect-metadata';
import { status } from '@grpc/grpc-js';
import type { GrpcClientOptions } from '@grpc-di/client-factory';
import { CALL_KINDS } from '@grpc-di/test-rig';
import { afterAll, describe, expect, test } from '@jest/globals';
import { FORMS, startChild } from '../propagation/child-call.js';
import { caseName, closeAll, errorOf, messagesOf, REPLY, type ServedCall, serveAll, start } from './served-calls.js';

afterAll(closeAll);

// grpc-js's own retries and hedging, as a channel's service config asks for them.

const BACKOFF_MS = 100;

const RETRIES: GrpcClientOptions = {
  channelOptions: {
    'grpc.service_config': JSON.stringify({
      loadBalancingConfig: [],
      methodConfig: [
        {
          name: [{}],
          retryPolicy: {
            maxAttempts: 5,
            initialBackoff: `${BACKOFF_MS / 1_000}s`,
            maxBackoff: `${BACKOFF_MS / 1_000}s`,
            backoffMultiplier: 1,
            retryableStatusCodes: ['UNAVAILABLE'],
          },
        },
      ],
    }),
  },
};

const HEDGING: GrpcClientOptions = {
  channelOptions: {
    'grpc.service_config': JSON.stringify({
      loadBalancingConfig: [],
      methodConfig: [
        {
          name: [{}],
          hedgingPolicy: { maxAttempts: 5, hedgingDelay: `${BACKOFF_MS / 1_000}s`, nonFatalStatusCodes: [] },
        },
      ],
    }),
  },
};

/** Hands the attempts to `handle`, counted from 1. */
function serveAttempts(
  handle: (attempt: number, served: ServedCall) => void,
  options = RETRIES,
): ReturnType<typeof serveAll> & { readonly attempts: ServedCall[] } {
  const attempts: ServedCall[] = [];
  const served = serveAll((call) => handle(attempts.push(call), call), options);
  return Object.assign(served, { attempts });
}

/** Long enough for every further attempt: two back-offs, which grpc-js varies by a fifth, and their way. */
function anotherAttemptWouldBeThere(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3 * BACKOFF_MS));
}

describe.each(CALL_KINDS)('%s', (kind) => {
  test.concurrent('is tried again, with one response and one deadline over all attempts', async () => {
    const arrivedAt: number[] = [];
    const serving = serveAttempts((attempt, call) => {
      arrivedAt.push(Date.now());
      if (attempt < 3) {
        call.fail(status.UNAVAILABLE, 'later');
      } else {
        call.answer();
      }
    });
    await using served = await serving;
    const call = start(served.client, kind, { timeoutMs: 60_000 });

    expect(await messagesOf(call)).toEqual([REPLY]);
    expect((await call.status).code).toBe(status.OK);
    const deadlines = serving.attempts.map((attempt) => Number(attempt.call.getDeadline()));
    expect(deadlines).toHaveLength(3);
    // Each attempt is told the time that is left, in milliseconds, and counts from its arrival: were it given the whole
    // time anew, the deadlines would lie as far apart as the arrivals.
    expect(deadlines[2]! - deadlines[0]!).toBeLessThan((arrivedAt[2]! - arrivedAt[0]!) / 2);
  });

  test.concurrent('ends at its deadline in the middle of a back-off', async () => {
    const serving = serveAttempts((_attempt, call) => call.fail(status.UNAVAILABLE, 'later'));
    await using served = await serving;

    const error = await errorOf(start(served.client, kind, { timeoutMs: BACKOFF_MS / 2 }));

    // The back-off may be as short as four fifths: then the deadline passes in a later one.
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error.details).toContain("(the call's own deadline)");
    const { length } = serving.attempts;
    await anotherAttemptWouldBeThere();
    expect(serving.attempts).toHaveLength(length);
  });
});

describe.each(CALL_KINDS.flatMap((kind) => ['cancel()', 'the signal'].map((how) => [kind, how] as const)))(
  '%s: no attempt after %s',
  (kind, how) => {
    test.concurrent.each([
      ['in a back-off', RETRIES],
      ['while hedging', HEDGING],
    ])('%s', async (when, options) => {
      const serving = serveAttempts((_attempt, call) => {
        if (when === 'in a back-off') {
          call.fail(status.UNAVAILABLE, 'later');
          // The failure has reached the client by then, and the next attempt is not due.
          setTimeout(stop, BACKOFF_MS / 4);
        } else {
          stop();
        }
      }, options);
      await using served = await serving;
      const controller = new AbortController();
      const call = start(served.client, kind, { signal: controller.signal });
      const outcome = errorOf(call);
      function stop(): void {
        if (how === 'cancel()') {
          call.cancel('enough');
        } else {
          controller.abort('enough');
        }
      }

      expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
      const { length } = serving.attempts;
      await anotherAttemptWouldBeThere();
      expect(serving.attempts).toHaveLength(length);
      expect(length).toBeLessThan(5);
      if (when === 'while hedging') {
        for (const attempt of serving.attempts) {
          expect(attempt.call.cancelled).toBe(true);
        }
      }
    });
  },
);

test.each(FORMS)('all attempts fail: one error, that of the last (%s form)', async (form) => {
  const serving = serveAttempts((attempt, call) => call.fail(status.UNAVAILABLE, `attempt ${attempt}`));
  await using served = await serving;

  const error = await startChild(served.client, 'unary', form, caseName());

  expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'attempt 5' });
  expect(serving.attempts).toHaveLength(5);
});
