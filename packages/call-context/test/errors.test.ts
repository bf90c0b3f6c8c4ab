import { CallCancelledError, CallContextNotFoundError } from '@grpc-di/call-context';
import { CallContextScope, callContextNotFound, isCallCancelledError } from '@grpc-di/call-context/opener';
import { afterEach, expect, jest, test } from '@jest/globals';

afterEach(() => {
  jest.useRealTimers();
});

test('a cancellation is an Error with its name, code and message', () => {
  const error = new CallCancelledError(4, 'too late');

  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'CallCancelledError', code: 4, message: 'too late' });
  expect(String(error)).toBe('CallCancelledError: too late');
});

test('a cancellation has a cause only where there is one', () => {
  expect('cause' in new CallCancelledError(1, 'left')).toBe(false);
  expect(new CallCancelledError(1, 'left', null).cause).toBeNull();
});

test('a missing context is an Error with its name', () => {
  expect(String(new CallContextNotFoundError('none'))).toBe('CallContextNotFoundError: none');
});

test('a cancellation is told by name and code', () => {
  const named = (code: unknown) => Object.assign(new Error('of another copy'), { name: 'CallCancelledError', code });

  expect([new CallCancelledError(1, 'left'), named(1), named(4)].every(isCallCancelledError)).toBe(true);
  expect(
    [named(5), named('4'), new Error('left'), { code: 1 }, 'left', null, undefined].some(isCallCancelledError),
  ).toBe(false);
});

test('what cannot be done without a context stands first in the error', () => {
  jest.useFakeTimers();
  const scope = new CallContextScope({});
  scope.end();
  jest.advanceTimersByTime(7);

  expect(callContextNotFound(undefined, 'Users.getUser() was not sent.').message).toMatch(
    /^Users\.getUser\(\) was not sent\. This code runs in no call: /,
  );
  expect(callContextNotFound(scope, 'Users.getUser() was not sent.').message).toMatch(
    /^Users\.getUser\(\) was not sent\. The call context ended 7 ms before: /,
  );
});
