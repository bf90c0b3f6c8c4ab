import { status } from '@grpc/grpc-js';
import { bindCallContext, currentCallContext, runDetached, runInCallContext } from '@grpc-di/call-context';
import { callContextInterceptor, currentServerCallContext, type ServerCallContext } from '@grpc-di/server';
import { expect, test } from '@jest/globals';
import { startCall } from '../bare-call.js';
import { startPlainRelay } from '../plain-relay.js';
import { aborted, Deferred } from '../waiting.js';

test('there is none outside a gRPC handler', () => {
  expect(currentServerCallContext()).toBeUndefined();
  expect(runInCallContext({ timeoutMs: 60_000 }, () => currentServerCallContext())).toBeUndefined();
});

test('it is the handler’s own context, also inside runInCallContext', async () => {
  const seen = new Deferred<[context: ServerCallContext | undefined, found: unknown][]>();
  await using relay = await startPlainRelay([callContextInterceptor()], ({ succeed }) => {
    const here = currentServerCallContext();
    const tighter = runInCallContext({ timeoutMs: 1_000 }, () =>
      runInCallContext({}, () => [currentServerCallContext(), currentCallContext()] as const),
    );
    seen.resolve([
      [here, currentCallContext()],
      [tighter[0], here],
      [runDetached(() => currentServerCallContext()), undefined],
    ]);
    expect(tighter[1]).not.toBe(here);
    succeed();
  });

  expect((await startCall(relay.client, 'unary').status).code).toBe(status.OK);

  for (const [context, expected] of await seen.promise) {
    expect(context).toBe(expected);
  }
});

test.each<[string, boolean]>([
  ['stays when the call is cancelled', true],
  ['goes when the call has ended', false],
])('it %s', async (_, cancels) => {
  const look = new Deferred<() => ServerCallContext | undefined>();
  await using relay = await startPlainRelay([callContextInterceptor()], () =>
    look.resolve(bindCallContext(currentServerCallContext)),
  );
  const call = startCall(relay.client, 'unary');
  const { context, succeed } = await relay.nextCall();
  const lookFromInside = await look.promise;
  expect(lookFromInside()).toBe(context);

  if (cancels) {
    call.cancel();
    await aborted(context.signal);
  } else {
    succeed();
  }

  expect(lookFromInside()).toBe(cancels ? context : undefined);
});
