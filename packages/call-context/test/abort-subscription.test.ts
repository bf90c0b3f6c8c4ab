import { getEventListeners } from 'node:events';
import { CallContextScope, subscribeToSignal, unsubscribeFromSignal } from '@grpc-di/call-context/opener';
import { expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

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
