import { getEventListeners } from 'node:events';
import { CallCancelledError, type CallContext, currentCallContext } from '@grpc-di/call-context';
import { CallContextScope, type CallContextScopeInit } from '@grpc-di/call-context/opener';
import { afterEach, expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

const now = Date.UTC(2030, 0, 1);

afterEach(() => {
  jest.useRealTimers();
});

/** A scope, and one for each further init that is opened inside the one before. */
function openNested(...inits: CallContextScopeInit[]): CallContextScope[] {
  const scopes: CallContextScope[] = [];
  for (const init of inits) {
    scopes.push(new CallContextScope({ parent: scopes.at(-1)?.context, ...init }));
  }
  return scopes;
}

test('a new scope is neither cancelled nor ended', () => {
  const scope = new CallContextScope({});

  expect(scope.context).toMatchObject({ cancelled: false, ended: false, deadline: Infinity });
  expect(scope.reason).toBeUndefined();
  expect(scope.cancellationCode).toBeUndefined();
  expect(() => scope.context.throwIfCancelled()).not.toThrow();
});

test('ended and cancelled exclude each other, and the first stays', () => {
  const ended = new CallContextScope({});
  ended.end();
  ended.cancel(1, 'too late');
  const cancelled = new CallContextScope({});
  cancelled.cancel(1, 'in time');
  cancelled.end();
  cancelled.cancel(4, 'again');

  expect(ended.context).toMatchObject({ ended: true, cancelled: false });
  expect(cancelled.context).toMatchObject({ ended: false, cancelled: true });
  expect(cancelled.reason).toMatchObject({ code: 1, message: 'in time' });
});

test('a call that completes after its deadline is cancelled by it, not ended', () => {
  jest.useFakeTimers({ now });
  const scope = new CallContextScope({ timeoutMs: 10, name: '/shop.Orders/Get' });
  const { signal } = scope;

  jest.setSystemTime(now + 10);
  scope.end();

  expect(scope.context).toMatchObject({ ended: false, cancelled: true });
  expect(signal.aborted).toBe(true);
  expect(scope.reason).toMatchObject({
    code: 4,
    message: 'The call of /shop.Orders/Get was cut short: its deadline passed',
  });
});

test('a cancellation after the deadline is the deadline', () => {
  jest.useFakeTimers({ now });
  const scope = new CallContextScope({ timeoutMs: 10 });

  jest.setSystemTime(now + 10);
  scope.cancel(1, 'the client left');

  expect(scope.reason).toMatchObject({ code: 4, message: 'The call context was cut short: its deadline passed' });
});

test('the signal is made when it is read, and is the same one ever after', () => {
  const { AbortController: Original } = globalThis;
  const made = jest.spyOn(globalThis, 'AbortController').mockImplementation(() => new Original());
  const scope = new CallContextScope({ timeoutMs: 60_000 });
  const nested = new CallContextScope({ parent: scope.context });
  nested.cancel(1, 'not needed any more');
  void scope.context.cancelled;
  scope.context.throwIfCancelled();
  expect(made).not.toHaveBeenCalled();

  expect(scope.context.signal).toBe(scope.context.signal);
  expect(made).toHaveBeenCalledTimes(1);
  made.mockRestore();
});

test('the context is made when it is asked for, and is the same one ever after', () => {
  const scope = new CallContextScope({});
  expect(scope.hasContext).toBe(false);

  expect(scope.context).toBe(scope.context);
  expect(scope.hasContext).toBe(true);
});

test('the signal aborts once, with the very error that throwIfCancelled throws', () => {
  const scope = new CallContextScope({});
  const { signal } = scope.context;
  const onAbort = jest.fn();
  signal.addEventListener('abort', onAbort);

  scope.cancel(1, 'The client left', new Error('ECONNRESET'));
  scope.cancel(1, 'again');

  expect(onAbort).toHaveBeenCalledTimes(1);
  expect(signal.reason).toBeInstanceOf(CallCancelledError);
  expect(signal.reason).toMatchObject({ code: 1, message: 'The client left', cause: new Error('ECONNRESET') });
  expect(thrownBy(() => scope.context.throwIfCancelled())).toBe(signal.reason);
  expect(scope.reason).toBe(signal.reason);
});

test('the signal aborts when the deadline passes', async () => {
  const scope = new CallContextScope({ timeoutMs: 5 });

  await aborted(scope.context.signal);

  expect(Date.now()).toBeGreaterThanOrEqual(scope.deadline);
  expect(scope.context.signal.reason).toMatchObject({ name: 'CallCancelledError', code: 4 });
});

test('a signal that is first read after the cancellation is aborted', () => {
  const scope = new CallContextScope({});
  scope.cancel(4, 'too late');

  expect(scope.context.signal.aborted).toBe(true);
  expect(thrownBy(() => scope.context.throwIfCancelled())).toBe(scope.context.signal.reason);
});

test('the signal of an ended context never aborts', () => {
  jest.useFakeTimers({ now });
  const parent = new CallContextScope({});
  const early = new CallContextScope({ timeoutMs: 10, parent: parent.context });
  const late = new CallContextScope({ timeoutMs: 10, parent: parent.context });
  void early.signal;
  early.end();
  late.end();

  jest.advanceTimersByTime(20);
  parent.cancel(1, 'the client left');

  for (const { context } of [early, late]) {
    expect(context.signal.aborted).toBe(false);
    expect(context).toMatchObject({ ended: true, cancelled: false });
    expect(() => context.throwIfCancelled()).not.toThrow();
  }
});

test('the parent cancels what is nested in it: same code, its own reason as the cause', () => {
  const [root, middle, leaf] = openNested({ name: '/shop.Orders/Get' }, {}, {}) as [
    CallContextScope,
    CallContextScope,
    CallContextScope,
  ];

  root.cancel(4, 'The client left');

  expect(middle.reason).toMatchObject({
    code: 4,
    message: 'A call context inside the call of /shop.Orders/Get was cut short: the deadline of its parent passed',
  });
  expect(middle.reason!.cause).toBe(root.reason);
  expect(leaf.reason!.cause).toBe(middle.reason);
  expect(leaf.cancellationCode).toBe(4);
});

test('a cancelled parent cancels a context that is opened in it at once, and runs it all the same', () => {
  const parent = new CallContextScope({});
  parent.cancel(1, 'The client left');

  const nested = new CallContextScope({ parent: parent.context });

  expect(nested.reason).toMatchObject({
    code: 1,
    message: 'A call context inside another was cancelled with its parent',
  });
  expect(nested.reason!.cause).toBe(parent.reason);
  expect(nested.run(() => currentCallContext())).toBe(nested.context);
  expect(parent.subscriberCount).toBe(0);
});

test("a nested context's cancellation touches neither parent nor siblings", () => {
  const parent = new CallContextScope({});
  const [first, second] = [{}, {}].map(() => new CallContextScope({ parent: parent.context }));

  first!.cancel(1, 'not needed any more');

  expect(parent.isCancelled).toBe(false);
  expect(parent.signal.aborted).toBe(false);
  expect(second!.isCancelled).toBe(false);
  expect(parent.subscriberCount).toBe(1);
});

test("a nested context's own deadline touches neither parent nor siblings", async () => {
  const parent = new CallContextScope({ timeoutMs: 60_000 });
  const nested = new CallContextScope({ parent: parent.context, timeoutMs: 2 });
  const sibling = new CallContextScope({ parent: parent.context });

  await aborted(nested.signal);

  expect(nested.reason).toMatchObject({
    code: 4,
    message: 'A call context inside another was cut short: its deadline passed',
  });
  expect(parent.isCancelled || sibling.isCancelled).toBe(false);
});

test("the parent's end leaves a nested context open, with the parent's deadline", () => {
  jest.useFakeTimers({ now });
  const [parent, nested] = openNested({ timeoutMs: 10 }, {}) as [CallContextScope, CallContextScope];
  const { signal } = nested;

  parent.end();
  parent.cancel(1, 'too late');
  expect(nested.context).toMatchObject({ cancelled: false, ended: false, deadline: now + 10 });

  jest.advanceTimersByTime(10);
  expect(signal.reason).toMatchObject({
    code: 4,
    message: 'A call context inside another was cut short: its deadline passed',
  });
  expect(parent.context).toMatchObject({ cancelled: false, ended: true });
});

test("an inherited deadline is the parent's: whoever notices it first cancels both, the parent's reason is the cause", () => {
  jest.useFakeTimers({ now });
  const [root, middle, leaf] = openNested({ timeoutMs: 10 }, {}, {}) as [
    CallContextScope,
    CallContextScope,
    CallContextScope,
  ];
  const { signal } = leaf;

  jest.advanceTimersByTime(10);

  expect(signal.aborted).toBe(true);
  expect(leaf.reason!.cause).toBe(middle.reason);
  expect(middle.reason!.cause).toBe(root.reason);
  expect(root.reason).toMatchObject({ code: 4, message: 'The call context was cut short: its deadline passed' });
});

test('a nested context that ran over its own deadline says so, also when the parent is cancelled after that', () => {
  jest.useFakeTimers({ now });
  const [parent, nested] = openNested({}, { timeoutMs: 10 }) as [CallContextScope, CallContextScope];

  jest.setSystemTime(now + 10);
  parent.cancel(1, 'the client left');

  expect(nested.reason).toMatchObject({
    code: 4,
    message: 'A call context inside another was cut short: its deadline passed',
  });
});

test('a parent that has ended counts as none', () => {
  const parent = new CallContextScope({ timeoutMs: 1_000, requestMetadata: { get: () => [] } });
  parent.end();

  const scope = new CallContextScope({ parent: parent.context });

  expect(scope.parent).toBeUndefined();
  expect(scope.context).toMatchObject({ deadline: Infinity, requestMetadata: undefined });
});

test('only the parent option nests: a scope opened inside a running context stands alone', () => {
  const around = new CallContextScope({ timeoutMs: 1_000 });

  const scope = around.run(() => new CallContextScope({}));

  expect(scope.deadline).toBe(Infinity);
  expect(around.subscriberCount).toBe(0);
});

test('request metadata is the own, else the surrounding one', () => {
  const requestMetadata = { get: () => ['1'] };
  const ownMetadata = { get: () => ['2'] };

  const [, inheriting, own] = openNested({ requestMetadata }, {}, { requestMetadata: ownMetadata });

  expect(inheriting!.context.requestMetadata).toBe(requestMetadata);
  expect(own!.context.requestMetadata).toBe(ownMetadata);
});

test('the parent keeps nothing of what ended or was cancelled in it', () => {
  const parent = new CallContextScope({});
  const [ended, cancelled] = [{}, {}].map(() => new CallContextScope({ parent: parent.context }));
  new CallContextScope({ parent: parent.context, signal: AbortSignal.abort() });
  new CallContextScope({ parent: parent.context, timeoutMs: 0 }).end();
  expect(parent.subscriberCount).toBe(2);

  ended!.end();
  cancelled!.cancel(1, 'not needed any more');

  expect(parent.subscriberCount).toBe(0);
});

test('ten thousand nested scopes come and go, and the parent keeps none', () => {
  const parent = new CallContextScope({});
  for (let i = 0; i < 10_000; i++) {
    new CallContextScope({ parent: parent.context }).end();
  }
  expect(parent.subscriberCount).toBe(0);

  const open = Array.from({ length: 10_000 }, () => new CallContextScope({ parent: parent.context }));
  expect(parent.subscriberCount).toBe(10_000);
  for (const scope of open) {
    scope.end();
  }
  expect(parent.subscriberCount).toBe(0);
});

test('the parent drops everything when it ends or is cancelled', () => {
  const [ended, cancelled] = [new CallContextScope({}), new CallContextScope({})];
  for (const parent of [ended, cancelled]) {
    new CallContextScope({ parent: parent.context });
    parent.subscribe({ onScopeCancelled: () => {} });
  }

  ended.end();
  cancelled.cancel(1, 'the client left');

  expect(ended.subscriberCount).toBe(0);
  expect(cancelled.subscriberCount).toBe(0);
});

test('a subscriber is told once; of a cancellation before at once; of an end never', () => {
  const [cancelled, ended] = [new CallContextScope({}), new CallContextScope({})];
  const [early, late, never] = [jest.fn(), jest.fn(), jest.fn()];
  cancelled.subscribe({ onScopeCancelled: early });
  ended.subscribe({ onScopeCancelled: never });

  cancelled.cancel(1, 'the client left');
  cancelled.cancel(1, 'again');
  cancelled.subscribe({ onScopeCancelled: late });
  ended.end();
  ended.cancel(1, 'too late');
  ended.subscribe({ onScopeCancelled: never });

  expect(early.mock.calls).toEqual([[cancelled]]);
  expect(late.mock.calls).toEqual([[cancelled]]);
  expect(never).not.toHaveBeenCalled();
  expect(ended.subscriberCount).toBe(0);
});

test('whoever unsubscribes while others are told is not told', () => {
  const scope = new CallContextScope({});
  const second = { onScopeCancelled: jest.fn() };
  const third = { onScopeCancelled: jest.fn() };
  scope.subscribe({ onScopeCancelled: () => scope.unsubscribe(second) });
  scope.subscribe(second);
  scope.subscribe(third);

  scope.cancel(1, 'the client left');

  expect(second.onScopeCancelled).not.toHaveBeenCalled();
  expect(third.onScopeCancelled).toHaveBeenCalledTimes(1);
});

test("the own signal's listeners run before nested contexts are cancelled", () => {
  const [parent, nested] = openNested({}, {}) as [CallContextScope, CallContextScope];
  const order: string[] = [];
  nested.signal.addEventListener('abort', () => order.push('nested'));
  parent.signal.addEventListener('abort', () => order.push('parent'));

  parent.cancel(1, 'the client left');

  expect(order).toEqual(['parent', 'nested']);
});

test('abort listeners run in the context of the call that was cancelled, whoever cancels it', async () => {
  const [parent, nested] = openNested({}, {}) as [CallContextScope, CallContextScope];
  const late = new CallContextScope({ timeoutMs: 2 });
  const seen = new Map<string, CallContext | undefined>();
  for (const [name, scope] of Object.entries({ parent, nested, late })) {
    scope.signal.addEventListener('abort', () => seen.set(name, currentCallContext()));
  }

  new CallContextScope({}).run(() => parent.cancel(1, 'the client left'));
  await aborted(late.signal);

  expect(seen.get('parent')).toBe(parent.context);
  expect(seen.get('nested')).toBe(nested.context);
  expect(seen.get('late')).toBe(late.context);
});

test('every subscriber runs, also when others throw: those become warnings, nothing is uncaught', async () => {
  const outcome = await runInNewProcess(({ CallContextScope: Scope }) => {
    const scope = new Scope({});
    for (const thrown of [new RangeError('first'), 'second', undefined, Object.create(null)]) {
      scope.subscribe({
        onScopeCancelled() {
          throw thrown;
        },
      });
    }
    const nested = new Scope({ parent: scope.context });

    scope.cancel(1, 'the client left');
    console.log(nested.isCancelled);
  });

  expect(outcome).toMatchObject({ exitCode: 0, stdout: 'true\n' });
  expect(outcome.stderr.match(/Warning: A subscriber to a cancellation threw: .*/g)).toEqual([
    'Warning: A subscriber to a cancellation threw: RangeError: first',
    "Warning: A subscriber to a cancellation threw: 'second'",
    'Warning: A subscriber to a cancellation threw: undefined',
    'Warning: A subscriber to a cancellation threw: [Object: null prototype] {}',
  ]);
});

test("an error of jest's realm stops no subscriber either", () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const scope = new CallContextScope({});
  const subscriber = { onScopeCancelled: jest.fn() };
  scope.subscribe({
    onScopeCancelled() {
      throw new Error('not an Error to the Node around this realm');
    },
  });
  scope.subscribe(subscriber);

  scope.cancel(1, 'the client left');

  expect(subscriber.onScopeCancelled).toHaveBeenCalledTimes(1);
  // Of what is no string, Node demands that it be an Error of its own realm.
  expect(warn.mock.calls).toEqual([[expect.stringContaining('not an Error to the Node around this realm')]]);
  warn.mockRestore();
});

test('a thousand contexts inside each other are cancelled together', () => {
  const scopes = openNested({ name: '/shop.Orders/Get' }, ...Array.from({ length: 1_000 }, () => ({})));

  scopes[0]!.cancel(1, 'the client left');

  expect(scopes.every((scope) => scope.isCancelled)).toBe(true);
  expect(scopes.at(-1)!.reason!.message).toBe(
    'A call context inside the call of /shop.Orders/Get was cancelled with its parent',
  );
});

test('fifty listeners on a signal are no leak to warn of', async () => {
  const outcome = await runInNewProcess(({ CallContextScope: Scope }) => {
    const { signal } = new Scope({});
    for (let i = 0; i < 50; i++) {
      signal.addEventListener('abort', () => {});
    }
  });

  expect(outcome).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

test('run passes arguments, result and errors through, and runs also what is over', () => {
  const scope = new CallContextScope({});
  expect(scope.run((a: number, b: number) => a + b, 1, 2)).toBe(3);
  expect(() =>
    scope.run(() => {
      throw new RangeError('own');
    }),
  ).toThrow(RangeError);

  scope.cancel(1, 'the client left');
  expect(scope.run(() => currentCallContext())).toBe(scope.context);
});

test.each<[string, object, RegExp]>([
  ['deadline', { deadline: 'soon' }, /^deadline must be/],
  ['timeoutMs', { timeoutMs: Number.NaN }, /^timeoutMs must be/],
  ['signal', { signal: new AbortController() }, /^signal must be an AbortSignal/],
  ['signal', { signal: null }, /^signal must be an AbortSignal/],
  ['requestMetadata', { requestMetadata: { 'x-tenant': '1' } }, /^requestMetadata must have a get\(name\) method/],
  ['requestMetadata', { requestMetadata: null }, /^requestMetadata must have a get\(name\) method/],
  ['parent', { parent: {} }, /^parent must be a CallContext/],
  ['parent', { parent: null }, /^parent must be a CallContext/],
  ['parent', { parent: new CallContextScope({}) }, /^parent must be a CallContext/],
  ['name', { name: 1 }, /^name must be a string/],
  ['timeout', { timeout: 10 }, /^unknown option "timeout" of a call context: it takes deadline, timeoutMs, signal and/],
])('a wrong or unknown %s is a TypeError that names it, before anything is subscribed', (_option, init, message) => {
  const parent = new CallContextScope({});
  const { signal } = new AbortController();
  const open = () => new CallContextScope({ parent: parent.context, signal, ...init });

  expect(open).toThrow(TypeError);
  expect(open).toThrow(message);
  expect(parent.subscriberCount).toBe(0);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('options that are undefined, unknown ones too, are not there', () => {
  const init = { deadline: undefined, signal: undefined, parent: undefined, name: undefined, timeout: undefined };

  expect(new CallContextScope(init).deadline).toBe(Infinity);
});

test('a call is named by itself, else by the nearest name around it', () => {
  const [named, inNamed, deeper, renamed] = openNested({ name: '/shop.Orders/Get' }, {}, {}, { name: 'invoices' });
  const [unnamed, inUnnamed] = openNested({}, {});

  expect(named!.label).toBe('The call of /shop.Orders/Get');
  expect(inNamed!.label).toBe('A call context inside the call of /shop.Orders/Get');
  expect(deeper!.label).toBe('A call context inside the call of /shop.Orders/Get');
  expect(renamed!.label).toBe('The call of invoices');
  expect(unnamed!.label).toBe('The call context');
  expect(inUnnamed!.label).toBe('A call context inside another');
});

function aborted(signal: AbortSignal): Promise<void> {
  // The deadline's timer keeps no process alive, and a jest worker has nothing else to wait for.
  const awake = setInterval(() => {}, 1_000);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      clearInterval(awake);
      resolve();
    });
  });
}

function thrownBy(fn: () => void): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}
