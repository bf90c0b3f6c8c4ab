import { runInCallContext } from '@grpc-di/call-context';
import { CallContextScope } from '@grpc-di/call-context/opener';
import { expect, test } from '@jest/globals';

type Settle = (value: unknown) => void;

function thenableOf(then: (resolve: Settle, reject: Settle) => void): PromiseLike<unknown> {
  // oxlint-disable-next-line unicorn/no-thenable -- what the tests are about
  return { then } as PromiseLike<unknown>;
}
test('a thenable whose then throws ends the context', () => {
  const parent = new CallContextScope({});
  const broken = thenableOf(() => {
    throw new Error('broken');
  });

  expect(() => parent.run(() => runInCallContext({}, () => broken))).toThrow('broken');
  expect(parent.subscriberCount).toBe(0);
});
