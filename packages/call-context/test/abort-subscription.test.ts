import { getEventListeners } from 'node:events';
import { CallCancelledError, runInCallContext } from '@grpc-di/call-context';
import {
  CallContextScope,
  isAbortSignal,
  subscribeToSignal,
  unsubscribeFromSignal,
} from '@grpc-di/call-context/opener';
import { expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

test('a signal that was aborted before cancels at once; the function runs', () => {
  const cause = new Error('shutting down');

  const context = runInCallContext({ signal: AbortSignal.abort(cause) }, (context) => {
    expect(context.cancelled).toBe(true);
    return context;
  });

  expect(context.signal.reason).toMatchObject({
    code: 1,
    message: 'The call context was cancelled by its signal',
  });
  expect(context.signal.reason.cause).toBe(cause);
});

test('a signal that aborts later cancels then', () => {
  const controller = new AbortController();
  const scope = new CallContextScope({ signal: controller.signal, name: 'invoices' });
  expect(scope.isCancelled).toBe(false);

  controller.abort('enough');

  expect(scope.reason).toMatchObject({
    code: 1,
    message: 'The call of invoices was cancelled by its signal',
    cause: 'enough',
  });
});

test("a reason that is a call's cancellation passes its code on, also of another copy of the package", () => {
  const ofCopy = Object.assign(new Error('too late'), { name: 'CallCancelledError', code: 4 });

  for (const reason of [new CallCancelledError(4, 'too late'), ofCopy]) {
    const scope = new CallContextScope({ signal: AbortSignal.abort(reason) });
    expect(scope.cancellationCode).toBe(4);
    expect(scope.reason!.cause).toBe(reason);
  }
});

test('any other reason is CANCELLED', () => {
  const strange = [
    undefined,
    null,
    4,
    'CallCancelledError',
    { code: 4 },
    Object.assign(new Error('no cancellation'), { code: 4 }),
    Object.assign(new Error('no code of a cancellation'), { name: 'CallCancelledError', code: 5 }),
  ];

  for (const reason of strange) {
    const controller = new AbortController();
    const scope = new CallContextScope({ signal: controller.signal });
    controller.abort(reason);
    expect(scope.cancellationCode).toBe(1);
  }
});

test('the surrounding context cancels what has a signal of its own, and the signal leaves the surrounding one alone', () => {
  const controller = new AbortController();
  const parent = new CallContextScope({});
  const byParent = new CallContextScope({ parent: parent.context, signal: new AbortController().signal });
  const bySignal = new CallContextScope({ parent: parent.context, signal: controller.signal });

  controller.abort();
  expect([parent.isCancelled, byParent.isCancelled, bySignal.isCancelled]).toEqual([false, false, true]);

  parent.cancel(1, 'the client left');
  expect(byParent.reason!.cause).toBe(parent.reason);
});

test('no listener is left when the context has ended or was cancelled', async () => {
  const { signal } = new AbortController();
  const listenersDuring: number[] = [];
  const count = () => getEventListeners(signal, 'abort').length;

  runInCallContext({ signal }, () => listenersDuring.push(count()));
  await runInCallContext({ signal }, async () => listenersDuring.push(count()));
  new CallContextScope({ signal }).cancel(1, 'not needed any more');
  new CallContextScope({ signal, timeoutMs: 0 }).end();
  const parent = new CallContextScope({});
  new CallContextScope({ signal, parent: parent.context });
  parent.cancel(1, 'the client left');
  new CallContextScope({ signal, parent: parent.context });

  expect(listenersDuring).toEqual([1, 1]);
  expect(count()).toBe(0);
});

test('a thousand contexts follow one signal through one listener, and without a warning', async () => {
  const outcome = await runInNewProcess(async ({ CallContextScope: Scope }) => {
    const { EventEmitter } = await import('node:events');
    const controller = new AbortController();
    const count = () => EventEmitter.getEventListeners(controller.signal, 'abort').length;
    const scopes = Array.from({ length: 1_000 }, () => new Scope({ signal: controller.signal }));
    console.log(count());
    for (const scope of scopes.splice(0, 999)) {
      scope.end();
    }
    console.log(count());
    controller.abort();
    console.log(count(), scopes[0]!.isCancelled);
  });

  expect(outcome).toEqual({ exitCode: 0, stdout: '1\n1\n0 true\n', stderr: '' });
});

test('all who follow a signal hear of it; who left does not, nor who leaves while others are told', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const [first, left, leaving, last] = ['first', 'left', 'leaving', 'last'].map(() => ({ onSignalAborted: jest.fn() }));
  for (const subscriber of [first, left, leaving, last]) {
    subscribeToSignal(signal, subscriber!);
  }
  first!.onSignalAborted.mockImplementation(() => unsubscribeFromSignal(signal, leaving!));
  unsubscribeFromSignal(signal, left!);

  controller.abort('enough');

  expect(first!.onSignalAborted.mock.calls).toEqual([['enough']]);
  expect(last!.onSignalAborted.mock.calls).toEqual([['enough']]);
  expect(left!.onSignalAborted).not.toHaveBeenCalled();
  expect(leaving!.onSignalAborted).not.toHaveBeenCalled();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('who follows an aborted signal is told at once', () => {
  const subscriber = { onSignalAborted: jest.fn() };
  const signal = AbortSignal.abort('enough');

  subscribeToSignal(signal, subscriber);
  unsubscribeFromSignal(signal, subscriber);

  expect(subscriber.onSignalAborted.mock.calls).toEqual([['enough']]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('one that throws is a warning and keeps the signal from nobody', async () => {
  const outcome = await runInNewProcess((api) => {
    const controller = new AbortController();
    api.subscribeToSignal(controller.signal, {
      onSignalAborted() {
        throw new RangeError('first');
      },
    });
    const scope = new api.CallContextScope({ signal: controller.signal });
    controller.abort();
    console.log(scope.isCancelled);
  });

  expect(outcome).toMatchObject({ exitCode: 0, stdout: 'true\n' });
  expect(outcome.stderr).toContain('Warning: A subscriber to a cancellation threw: RangeError: first');
});

test('a signal is told by its shape', () => {
  class Polyfill extends EventTarget {
    aborted = false;
  }

  expect([new AbortController().signal, AbortSignal.timeout(0), new Polyfill()].map(isAbortSignal)).toEqual([
    true,
    true,
    true,
  ]);
  expect([undefined, null, 'abort', {}, new AbortController(), new EventTarget()].some(isAbortSignal)).toBe(false);
});
