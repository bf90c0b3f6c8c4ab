import { CallContextScope, type CallContextScopeInit } from '@grpc-di/call-context/opener';
import { expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

/** A scope, and one for each further init that is opened inside the one before. */
function openNested(...inits: CallContextScopeInit[]): CallContextScope[] {
  const scopes: CallContextScope[] = [];
  for (const init of inits) {
    scopes.push(new CallContextScope({ parent: scopes.at(-1)?.context, ...init }));
  }
  return scopes;
}

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

test('a thousand contexts inside each other are cancelled together', () => {
  const scopes = openNested({ name: '/shop.Orders/Get' }, ...Array.from({ length: 1_000 }, () => ({})));

  scopes[0]!.cancel(1, 'the client left');

  expect(scopes.every((scope) => scope.isCancelled)).toBe(true);
  expect(scopes.at(-1)!.reason!.message).toBe(
    'A call context inside the call of /shop.Orders/Get was cancelled with its parent',
  );
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
