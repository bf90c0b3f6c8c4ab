import { CallContextScope } from '@grpc-di/call-context/opener';
import { expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

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
