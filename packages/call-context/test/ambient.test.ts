import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import {
  bindCallContext,
  type CallContext,
  CallContextNotFoundError,
  currentCallContext,
  requireCallContext,
  runDetached,
  runInCallContext,
} from '@grpc-di/call-context';
import { CallContextScope, currentScope, runInScope, surroundingScope } from '@grpc-di/call-context/opener';
import { expect, test } from '@jest/globals';

test('outside of any call there is no context', () => {
  expect(currentCallContext()).toBeUndefined();
  expect(currentScope()).toBeUndefined();
  expect(surroundingScope()).toBeUndefined();
});

test('the innermost context is the current one', () => {
  runInCallContext({}, (outer) => {
    expect(currentCallContext()).toBe(outer);
    runInCallContext({}, (inner) => {
      expect(inner).not.toBe(outer);
      expect(currentCallContext()).toBe(inner);
      expect(requireCallContext()).toBe(inner);
    });
    expect(currentCallContext()).toBe(outer);
  });
});

test.each<[string, () => Promise<unknown>]>([
  ['await', async () => {}],
  ['a timer', () => sleep(1)],
  ['setImmediate', () => new Promise((resolve) => setImmediate(resolve))],
  ['nextTick', () => new Promise((resolve) => process.nextTick(resolve))],
  ['queueMicrotask', () => new Promise<void>((resolve) => queueMicrotask(resolve))],
  ['a stream', () => new PassThrough().end('chunk').toArray()],
])('the context survives %s', async (_what, step) => {
  await runInCallContext({}, async (context) => {
    await step();
    expect(currentCallContext()).toBe(context);
  });
  expect(currentCallContext()).toBeUndefined();
});

test.each<[string, (callback: () => void) => void]>([
  ['setTimeout', (callback) => setTimeout(callback, 1)],
  ['setImmediate', setImmediate],
  ['process.nextTick', (callback) => process.nextTick(callback)],
  ['queueMicrotask', queueMicrotask],
  ['promise.then', (run) => void Promise.resolve().then(run)],
])('a callback of %s runs in the context that set it', async (_what, schedule) => {
  const context = new CallContextScope({});

  const seen = await new Promise((resolve) => context.run(() => schedule(() => resolve(currentCallContext()))));

  expect(seen).toBe(context.context);
});

test('the context survives the steps of an async generator', async () => {
  const seen: unknown[] = [];
  async function* steps() {
    for (let i = 0; i < 3; i++) {
      await immediate();
      yield currentCallContext();
    }
  }

  await runInCallContext({}, async (context) => {
    for await (const current of steps()) {
      seen.push(current === context);
    }
  });

  expect(seen).toEqual([true, true, true]);
});

test('a listener runs in the context of whoever emits', () => {
  const emitter = new EventEmitter();
  let seen: CallContext | undefined;
  runInCallContext({}, () => emitter.on('row', () => (seen = currentCallContext())));

  runInCallContext({}, (emitting) => {
    emitter.emit('row');
    expect(seen).toBe(emitting);
  });
});

test('a bound listener runs in the context that bound it, with its this and its arguments', () => {
  const emitter = new EventEmitter();
  const scope = new CallContextScope({});
  const seen: unknown[] = [];
  scope.run(() => {
    const listener = function (this: EventEmitter, ...args: number[]) {
      seen.push(this, args, currentCallContext());
    };
    emitter.on('row', bindCallContext(listener));
  });

  runInCallContext({}, (emitting) => {
    emitter.emit('row', 1, 2);
    expect(currentCallContext()).toBe(emitting);
  });

  expect(seen).toEqual([emitter, [1, 2], scope.context]);
  expect(seen[2]).toBe(scope.context);
});

test('a bound function passes result and error through', () => {
  expect(bindCallContext((a: number, b: number) => a + b)(1, 2)).toBe(3);
  expect(
    bindCallContext(() => {
      throw new RangeError('own');
    }),
  ).toThrow(RangeError);
});

test('what was bound outside of any call runs in none', () => {
  const bound = bindCallContext(() => currentCallContext());

  expect(runInCallContext({}, () => bound())).toBeUndefined();
});

test('what was bound in a call that has ended finds none, not that of the caller', () => {
  const bound = runInCallContext({}, () => bindCallContext(() => currentCallContext()));

  expect(runInCallContext({}, () => bound())).toBeUndefined();
});

test('only functions can be bound', () => {
  expect(() => bindCallContext('run' as never)).toThrow(TypeError);
  expect(() => bindCallContext('run' as never)).toThrow("bindCallContext(fn): fn must be a function, not 'run'");
});

test('detached work has no context, also later; the caller keeps its own', async () => {
  await runInCallContext({}, async (context) => {
    const detached = runDetached(async () => {
      const first = currentCallContext();
      await immediate();
      return [first, currentCallContext(), surroundingScope()];
    });

    expect(currentCallContext()).toBe(context);
    expect(await detached).toEqual([undefined, undefined, undefined]);
  });
});

test('detached work can open a context of its own, which its surroundings do not limit', () => {
  const deadline = runInCallContext({ timeoutMs: 0 }, () =>
    runDetached(() => runInCallContext({}, (context) => context.deadline)),
  );

  expect(deadline).toBe(Infinity);
});

test('a cancelled context stays current', async () => {
  const scope = new CallContextScope({ name: '/shop.Orders/Get' });

  await scope.run(async () => {
    scope.cancel(1, 'The client left');
    scope.end();
    await immediate();
    expect(currentCallContext()).toBe(scope.context);
    expect(requireCallContext().cancelled).toBe(true);
    expect(currentScope()).toBe(scope);
  });
});

test('an ended context is not found by a late timer, though the scope is there for messages', async () => {
  const scope = new CallContextScope({});
  const seen = scope.run(() => sleep(1).then(() => [currentCallContext(), currentScope(), surroundingScope()]));

  scope.end();

  expect(await seen).toEqual([undefined, undefined, scope]);
});

test('an ended context hides the one around it', () => {
  runInCallContext({}, (outer) => {
    const inner = new CallContextScope({ parent: outer });
    inner.end();

    expect(inner.run(() => currentCallContext())).toBeUndefined();
  });
});

test('a required context that was never opened is an error that says how to open one', () => {
  const error = errorOf(requireCallContext);

  expect(error).toBeInstanceOf(CallContextNotFoundError);
  expect(error.message).toBe(
    'No call context was found. This code runs in no call: open a context with runInCallContext({ timeoutMs }, fn), ' +
      "serve with callContextInterceptor(), or register the client with onContextNotFound: 'ignore'.",
  );
});

test('a required context that has ended is an error that says whose, how long ago, and what to do', async () => {
  const scope = new CallContextScope({ name: '/shop.Orders/Get' });
  const late = scope.run(() => sleep(20).then(() => errorOf(requireCallContext)));

  scope.end();
  const error = await late;

  expect(error).toBeInstanceOf(CallContextNotFoundError);
  expect(error.message).toMatch(
    /^No call context was found\. The call of \/shop\.Orders\/Get ended \d+ ms before: start work that outlives its call with runDetached\(fn\), in a context of its own or with onContextNotFound: 'ignore'\.$/,
  );
  // A timer of 20 ms may fire a millisecond early by the other clock; an epoch would have thirteen digits.
  const [, ms] = /ended (\d+) ms/.exec(error.message)!;
  expect(Number(ms)).toBeGreaterThanOrEqual(18);
  expect(Number(ms)).toBeLessThan(60_000);
});

test('code runs in a scope, or in none, as the opener says', () => {
  const scope = new CallContextScope({});

  expect(runInScope(scope, () => currentScope())).toBe(scope);
  expect(scope.run(() => runInScope(undefined, () => surroundingScope()))).toBeUndefined();
  expect(runInScope(scope, (a: number, b: number) => a + b, 1, 2)).toBe(3);
});

test('two hundred calls at once, interleaved at random, never see the context of another', async () => {
  const random = randomNumbers(42);
  const steps = [
    () => sleep(random(3)),
    () => immediate(),
    () => new Promise<void>((resolve) => process.nextTick(resolve)),
    async () => {},
    () => runDetached(() => immediate()),
    () => runInCallContext({}, () => immediate()),
  ];
  let mixed = 0;

  await Promise.all(
    Array.from({ length: 200 }, (_, call) =>
      runInCallContext({ requestMetadata: { get: () => [`${call}`] } }, async (context) => {
        for (let step = 0; step < 20; step++) {
          await steps[random(steps.length)]!();
          const current = currentCallContext();
          mixed += current === context && current.requestMetadata!.get('call')[0] === `${call}` ? 0 : 1;
        }
      }),
    ),
  );

  expect(mixed).toBe(0);
});

function errorOf(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** The same random numbers in each run: a failure can be repeated. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
