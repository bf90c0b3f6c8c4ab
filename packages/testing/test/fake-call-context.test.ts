import 'reflect-metadata';
import { Metadata, status } from '@grpc/grpc-js';
import {
  CallCancelledError,
  type CallContext,
  createGrpcClient,
  currentCallContext,
  GrpcClientFactory,
  getGrpcClient,
  requireCallContext,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, startLeaf } from '@grpc-di/test-rig';
import { fakeCallContext } from '@grpc-di/testing';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Container } from 'inversify';

afterEach(() => {
  jest.useRealTimers();
});

test('code that runs in it finds it, across awaits, and nobody else does', async () => {
  const context = fakeCallContext();

  const found = await context.run(async () => {
    const before = currentCallContext();
    await Promise.resolve();
    return [before, requireCallContext()];
  });

  expect(found).toEqual([context, context]);
  expect(found[0]).toBe(context);
  expect(currentCallContext()).toBeUndefined();
});

test('run gives back what the function returns or throws', () => {
  const context = fakeCallContext();

  expect(context.run(() => 7)).toBe(7);
  expect(() =>
    context.run(() => {
      throw new RangeError('no');
    }),
  ).toThrow(RangeError);
});

test('it has the deadline, the metadata and the signal that it was given', () => {
  const requestMetadata = new Metadata();
  const aborting = new AbortController();
  const context = fakeCallContext({
    deadline: Date.now() + 60_000,
    timeoutMs: 30_000,
    requestMetadata,
    signal: aborting.signal,
  });

  expect(context.timeRemaining()).toBeGreaterThan(20_000);
  expect(context.timeRemaining()).toBeLessThanOrEqual(30_000);
  expect(context.requestMetadata).toBe(requestMetadata);
  aborting.abort('enough');
  expect(context.cancelled).toBe(true);
  expect((context.signal.reason as CallCancelledError).cause).toBe('enough');
});

test('without options it has no deadline and is neither cancelled nor ended', () => {
  const context = fakeCallContext();

  expect(context).toMatchObject({ deadline: Infinity, cancelled: false, ended: false, requestMetadata: undefined });
});

test('made inside another it is bounded by that one, and cancelled with it', () => {
  const outer = fakeCallContext({ timeoutMs: 10_000 });
  const inner = outer.run(() => fakeCallContext({ timeoutMs: 60_000 }));

  expect(inner.deadline).toBe(outer.deadline);
  outer.cancel();
  expect(inner.cancelled).toBe(true);
});

describe('cancel', () => {
  test('is the client leaving: code 1, also for what is waiting on the signal', async () => {
    const context = fakeCallContext();
    const reason = context.run(
      () =>
        new Promise((resolve) => {
          const { signal } = requireCallContext();
          signal.addEventListener('abort', () => resolve(signal.reason));
        }),
    );

    context.cancel();

    expect(await reason).toBeInstanceOf(CallCancelledError);
    expect(await reason).toMatchObject({ code: status.CANCELLED });
    expect(String(await reason)).toContain('by its test');
    expect(context).toMatchObject({ cancelled: true, ended: false });
    expect(() => context.throwIfCancelled()).toThrow(CallCancelledError);
  });

  test('takes code and message', () => {
    const context = fakeCallContext();

    context.cancel(4, 'too slow');

    expect(context.signal.reason).toMatchObject({ code: status.DEADLINE_EXCEEDED, message: 'too slow' });
  });

  test('leaves the context current, and does nothing more than once or after the end', () => {
    const cancelled = fakeCallContext();
    cancelled.cancel(4);
    cancelled.cancel(1);
    cancelled.end();
    const ended = fakeCallContext();
    ended.end();
    ended.cancel();

    expect(cancelled.run(currentCallContext)).toBe(cancelled);
    expect(cancelled).toMatchObject({ cancelled: true, ended: false });
    expect((cancelled.signal.reason as CallCancelledError).code).toBe(4);
    expect(ended).toMatchObject({ cancelled: false, ended: true });
  });

  test('refuses a code that is no way to be cut short', () => {
    expect(() => fakeCallContext().cancel(5 as 4)).toThrow(
      new TypeError('fakeCallContext().cancel(code): code must be 1 (CANCELLED) or 4 (DEADLINE_EXCEEDED), not 5'),
    );
  });
});

test('after its end it is not found, and its signal does not abort', () => {
  const context = fakeCallContext({ timeoutMs: 10_000 });

  context.end();

  expect(context.run(currentCallContext)).toBeUndefined();
  expect(context.signal.aborted).toBe(false);
});

test('its deadline passes under fake timers', () => {
  jest.useFakeTimers();
  const context = fakeCallContext({ timeoutMs: 1_000 });
  const { signal } = context;

  jest.advanceTimersByTime(999);
  expect(signal.aborted).toBe(false);
  jest.advanceTimersByTime(2);

  expect(signal.aborted).toBe(true);
  expect(context.cancelled).toBe(true);
  expect(signal.reason).toMatchObject({ code: status.DEADLINE_EXCEEDED });
});

test('a client that propagates takes it for the parent of its calls', async () => {
  const leaf = await startLeaf();
  const container = new Container();
  createGrpcClient(container, LeafClient, { address: leaf.address, enableCallContextPropagation: true });
  const client = getGrpcClient(container, LeafClient);
  const context = fakeCallContext({ timeoutMs: 60_000 });

  const call = context.run(() => client.unary({ id: '', script: '', path: [] }, { metadata: { [CASE_KEY]: 'fake' } }));
  const arrival = await leaf.arrived('fake');
  context.cancel(1, 'the test says so');

  const error = await call.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: status.CANCELLED, cause: { message: 'the test says so' } });
  await arrival.cancelled;
  expect(arrival.deadline).toBeLessThanOrEqual(context.deadline + 1_000);
  await container.get(GrpcClientFactory).close();
  await leaf[Symbol.asyncDispose]();
});

test('wrong options are errors that name the option', () => {
  expect(() => fakeCallContext({ timeoutMs: Number.NaN })).toThrow(/timeoutMs must be a number/);
  expect(() => fakeCallContext({ timeout: 5 } as object)).toThrow(/unknown option "timeout"/);
  expect(() => fakeCallContext(5 as never)).toThrow(/init must be an object such as \{ timeoutMs: 1_000 \}, not 5/);
  expect(() => fakeCallContext().run(7 as never)).toThrow(/fn must be a function, not 7/);
});

test('it is a CallContext by type', () => {
  const handler = (context: CallContext): number => context.deadline;

  expect(handler(fakeCallContext())).toBe(Infinity);
});
