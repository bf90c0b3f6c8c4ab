import { CallContextScope, subscribeToSignal } from '@grpc-di/call-context/opener';
import { expect, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

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
