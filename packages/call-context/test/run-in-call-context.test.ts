import { type CallContext, currentCallContext, runInCallContext } from '@grpc-di/call-context';
import { CallContextScope } from '@grpc-di/call-context/opener';
import { afterEach, expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

const now = Date.UTC(2030, 0, 1);

afterEach(() => {
  jest.useRealTimers();
});

test('the function gets the context that is current in it; the result comes back', () => {
  const [passed, current] = runInCallContext({}, (context) => [context, currentCallContext()]);

  expect(passed).toBe(current);
  expect(currentCallContext()).toBeUndefined();
});

test('the context has ended when the function has returned', () => {
  const context = runInCallContext({}, (context) => context);

  expect(context).toMatchObject({ ended: true, cancelled: false });
});

test('the context has ended when the function has thrown; the error is its own', () => {
  const error = new Error('own');
  let context: CallContext | undefined;

  const run = () =>
    runInCallContext({}, (opened) => {
      context = opened;
      throw error;
    });

  expect(run).toThrow(error);
  expect(context!.ended).toBe(true);
});

test('a promise is followed: the context is open until it resolves, and has ended when the caller goes on', async () => {
  let resolve: ((value: string) => void) | undefined;
  let context: CallContext | undefined;

  const result = runInCallContext({}, async (opened) => {
    context = opened;
    return await new Promise<string>((settle) => (resolve = settle));
  });
  expect(context!.ended).toBe(false);
  resolve!('done');

  expect(await result).toBe('done');
  expect(context!.ended).toBe(true);
});

test("a promise's rejection reaches the caller, and ends the context", async () => {
  const error = new Error('own');
  let context: CallContext | undefined;

  const result = runInCallContext({}, async (opened) => {
    context = opened;
    await Promise.resolve();
    throw error;
  });

  await expect(result).rejects.toBe(error);
  expect(context!.ended).toBe(true);
});

test('a rejection that nobody handles stays unhandled', async () => {
  const outcome = await runInNewProcess(({ runInCallContext: run }) => {
    void run({}, async () => {
      throw new Error('nobody handles this');
    });
  });

  expect(outcome).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('nobody handles this') });
});

test('a rejection that the caller handles is handled', async () => {
  const outcome = await runInNewProcess(async ({ runInCallContext: run }) => {
    class OwnPromise<T> extends Promise<T> {}
    await run({}, async () => {
      throw new Error('handled');
    }).catch(() => {});
    await run({}, () => OwnPromise.reject(new Error('handled'))).catch(() => {});
  });

  expect(outcome).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

test('a thenable is asked once, in the context, which ends when it settles', async () => {
  const asked: boolean[] = [];
  let context: CallContext | undefined;
  const query = thenableOf((resolve) => {
    asked.push(currentCallContext() === context);
    setImmediate(resolve, 'rows');
  });

  const result = runInCallContext({}, (opened) => {
    context = opened;
    return query;
  });
  expect(context!.ended).toBe(false);

  expect(await result).toBe('rows');
  expect(asked).toEqual([true]);
  expect(context!.ended).toBe(true);
});

test('a thenable that rejects ends the context, and its error reaches the caller', async () => {
  let context: CallContext | undefined;

  const result = runInCallContext({}, (opened) => {
    context = opened;
    return thenableOf((_resolve, reject) => setImmediate(reject, new Error('no rows')));
  });

  await expect(result).rejects.toThrow('no rows');
  expect(context!.ended).toBe(true);
});

test('a subclass of Promise is returned itself, and ends the context when it settles', async () => {
  class UnaryCall extends Promise<string> {}
  const call = new UnaryCall((resolve) => setImmediate(resolve, 'response'));
  let context: CallContext | undefined;

  const result = runInCallContext({}, (opened) => {
    context = opened;
    return call;
  });

  expect(result).toBe(call);
  expect(context!.ended).toBe(false);
  expect(await call).toBe('response');
  expect(context!.ended).toBe(true);
});

test('a thenable whose then throws ends the context', async () => {
  const parent = new CallContextScope({});
  const broken = thenableOf(() => {
    throw new Error('broken');
  });

  await expect(parent.run(() => runInCallContext({}, () => broken))).rejects.toThrow('broken');
  expect(parent.subscriberCount).toBe(0);
});

test.each(['parent', 'name'])("an owner's option is unknown here: %s", (option) => {
  expect(() => runInCallContext({ [option]: 'x' }, () => {})).toThrow(`unknown option "${option}" of a call context`);
});

test.each([undefined, null, 0, 'text', thenableOf('no function' as never), () => {}])(
  '%p is no thenable: it comes back',
  (value) => {
    let context: CallContext | undefined;

    const result = runInCallContext({}, (opened) => {
      context = opened;
      return value;
    });

    expect(result).toBe(value);
    expect(context!.ended).toBe(true);
  },
);

test('what returns after its deadline is cancelled, not ended; its result comes back', () => {
  jest.useFakeTimers({ now });

  const { context, signal } = runInCallContext({ timeoutMs: 10 }, (context) => {
    const { signal } = context;
    jest.setSystemTime(now + 11);
    return { context, signal };
  });

  expect(context).toMatchObject({ cancelled: true, ended: false });
  expect(signal.reason).toMatchObject({ code: 4 });
});

test('what returns in time stays ended when its deadline passes', () => {
  jest.useFakeTimers({ now });
  const context = runInCallContext({ timeoutMs: 10 }, (context) => {
    void context.signal;
    return context;
  });

  jest.advanceTimersByTime(20);

  expect(context).toMatchObject({ cancelled: false, ended: true });
  expect(context.signal.aborted).toBe(false);
});

test('a context inside another takes over deadline, cancellation and metadata', () => {
  const requestMetadata = { get: () => ['acme'] };
  const outer = new CallContextScope({ deadline: 8.64e15, requestMetadata });

  outer.run(() =>
    runInCallContext({}, (inner) => {
      expect(inner).toMatchObject({ deadline: 8.64e15, requestMetadata });
      expect(inner).not.toBe(outer.context);

      outer.cancel(1, 'the client left');
      expect(inner.signal.reason.cause).toBe(outer.reason);
    }),
  );
});

test('a context inside another leaves it current again, and open', () => {
  runInCallContext({}, (outer) => {
    runInCallContext({}, () => {});

    expect(currentCallContext()).toBe(outer);
    expect(outer.ended).toBe(false);
  });
});

test('in a cancelled context the function runs, in a cancelled context of its own', () => {
  const outer = new CallContextScope({});
  outer.cancel(4, 'too late');

  const inner = outer.run(() => runInCallContext({}, (context) => context));

  expect(inner.signal.reason).toMatchObject({ code: 4, cause: outer.reason });
});

test('in an ended context it opens one that stands alone', () => {
  const outer = new CallContextScope({ timeoutMs: 1_000 });
  outer.end();

  expect(outer.run(() => runInCallContext({}, (context) => context.deadline))).toBe(Infinity);
});

test.each([
  [undefined, () => {}, /^runInCallContext\(init, fn\): init must be an object such as .*, not undefined$/],
  [null, () => {}, /^runInCallContext\(init, fn\): init must be an object such as .*, not null$/],
  [2_000, () => {}, /^runInCallContext\(init, fn\): init must be an object such as .*, not 2000$/],
  [() => {}, undefined, /^runInCallContext\(init, fn\): init must be an object such as .*, not \[Function/],
  [{}, undefined, /^runInCallContext\(init, fn\): fn must be a function, not undefined$/],
  [{}, Promise.resolve(), /^runInCallContext\(init, fn\): fn must be a function, not Promise/],
])('wrong arguments are a TypeError that shows them: %p, %p', (init, fn, message) => {
  const run = () => runInCallContext(init as never, fn as never);

  expect(run).toThrow(TypeError);
  expect(run).toThrow(message);
});

test('an unknown option throws before the function runs', () => {
  const fn = jest.fn();

  expect(() => runInCallContext({ timeout: 10 } as never, fn)).toThrow(/^unknown option "timeout"/);
  expect(() => runInCallContext({ timeoutMS: 10 } as never, fn)).toThrow(TypeError);
  expect(fn).not.toHaveBeenCalled();
});

test('the options are left as they were', () => {
  const init = Object.freeze({ timeoutMs: 1_000 });

  runInCallContext({}, () => runInCallContext(init, () => {}));

  expect(init).toEqual({ timeoutMs: 1_000 });
});

test('a hundred thousand calls inside one open context leave its heap flat', async () => {
  const outcome = await runInNewProcess(
    async ({ runInCallContext: run, CallContextScope: Scope }) => {
      const heap = () => {
        globalThis.gc!();
        return process.memoryUsage().heapUsed;
      };
      const shutdown = new AbortController();
      const parent = new Scope({ timeoutMs: 3_600_000 });
      void parent.signal;
      const calls = async (count: number) => {
        for (let i = 0; i < count; i++) {
          run({ timeoutMs: 60_000 }, (context) => i % 10 === 0 && context.signal);
          await run({ signal: shutdown.signal }, async () => {});
        }
      };
      await parent.run(async () => {
        await calls(1_000);
        const before = heap();
        await calls(50_000);
        const grownBytes = heap() - before;
        // One forgotten object per call would be 5 MB or more.
        console.log(parent.subscriberCount, grownBytes < 1_000_000 ? 'flat' : `grown by ${grownBytes} bytes`);
      });
    },
    ['--expose-gc'],
  );

  expect(outcome).toEqual({ exitCode: 0, stdout: '0 flat\n', stderr: '' });
}, 60_000);

type Settle = (value: unknown) => void;

function thenableOf(then: (resolve: Settle, reject: Settle) => void): PromiseLike<unknown> {
  // oxlint-disable-next-line unicorn/no-thenable -- what the tests are about
  return { then } as PromiseLike<unknown>;
}
