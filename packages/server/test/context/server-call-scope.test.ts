import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { currentCallContext, runInCallContext } from '@grpc-di/call-context';
import { currentScope } from '@grpc-di/call-context/opener';
import { callContextInterceptor } from '@grpc-di/server';
import { CALL_KINDS, startTcpProxy } from '@grpc-di/test-rig';
import { describe, expect, test } from '@jest/globals';
import { startCall } from '../bare-call.js';
import { answering } from '../interceptors.js';
import { REPLY, type ServedCall, startPlainRelay } from '../plain-relay.js';
import { aborted, Deferred, over } from '../waiting.js';

describe('the deadline', () => {
  test('is the one that the client asked for', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()], ({ succeed }) => succeed());
    const asked = Date.now() + 60_000;

    await startCall(relay.client, 'unary', { deadline: asked }).status;

    const { grpc, context } = await relay.nextCall();
    expect(context.deadline).toBe(grpc.getDeadline());
    // The header counts whole milliseconds from its sending, the server from its receipt: under load that is later.
    expect(context.deadline).toBeGreaterThanOrEqual(asked - 1);
    expect(context.deadline).toBeLessThan(asked + 1_000);
  });

  test('is Infinity without one', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()], ({ succeed }) => succeed());

    await startCall(relay.client, 'unary').status;

    const { context } = await relay.nextCall();
    expect([context.deadline, context.timeRemaining()]).toEqual([Infinity, Infinity]);
  });

  test.each<[string, number, number, status]>([
    ['deadlineSlackMs before it or later counts as the deadline', 120_000, 60_000, status.DEADLINE_EXCEEDED],
    ['earlier than that is a cancellation', 30_000, 60_000, status.CANCELLED],
    ['with a slack of 0 is a cancellation', 0, 60_000, status.CANCELLED],
    ['with a slack of Infinity and no deadline is a cancellation', Infinity, Infinity, status.CANCELLED],
  ])('a reset %s', async (_, deadlineSlackMs, timeoutMs, code) => {
    await using relay = await startPlainRelay([callContextInterceptor({ deadlineSlackMs })]);
    const call = startCall(relay.client, 'unary', { deadline: Date.now() + timeoutMs });
    const { context } = await relay.nextCall();

    call.cancel();
    await aborted(context.signal);

    expect(context.signal.reason).toMatchObject({ code });
  });

  test.each<[number, status]>([
    [200, status.DEADLINE_EXCEEDED],
    [60_000, status.CANCELLED],
  ])('a reset %d ms before it counts as it, or not, by default', async (timeoutMs, code) => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    const call = startCall(relay.client, 'unary', { deadline: Date.now() + timeoutMs });
    const { context } = await relay.nextCall();

    call.cancel();
    await aborted(context.signal);

    expect(context.signal.reason).toMatchObject({ code });
  });
});

describe('cancelOnCompletion', () => {
  test.each(CALL_KINDS)('cancels what a completed %s call left running', async (kind) => {
    await using relay = await startPlainRelay([callContextInterceptor({ cancelOnCompletion: true })]);
    const call = startCall(relay.client, kind);
    const { context, succeed } = await relay.nextCall();
    const { signal } = context;

    succeed();
    expect((await call.status).code).toBe(status.OK);

    expect(signal.reason).toMatchObject({ code: status.CANCELLED });
    expect(signal.reason.message).toMatch(/was completed by its handler \(cancelOnCompletion is on\)$/);
    expect(context.ended).toBe(false);
  });

  test('leaves a call that its client cancelled before its reason', async () => {
    await using relay = await startPlainRelay([callContextInterceptor({ cancelOnCompletion: true })]);
    const call = startCall(relay.client, 'unary');
    const { context, succeed } = await relay.nextCall();
    call.cancel();
    await aborted(context.signal);

    succeed();

    expect(context.signal.reason.message).toContain('by its client');
  });
});

describe('trailers', () => {
  const ownTrailers = (): Metadata => {
    const metadata = new Metadata();
    metadata.set('x-own', 'of the handler');
    metadata.set('x-both', 'of the handler');
    return metadata;
  };

  test.each<[string, (call: ServedCall, own: Metadata) => void]>([
    ['success', ({ succeed }, own) => succeed(own)],
    ['an error', ({ fail }, own) => fail({ code: status.NOT_FOUND, metadata: own })],
  ])('of the context join those of the handler, on %s', async (_, complete) => {
    for (const kind of CALL_KINDS) {
      const own = ownTrailers();
      await using relay = await startPlainRelay([callContextInterceptor()], (served) => {
        served.context.trailers.set('x-context', 'of the context');
        served.context.trailers.set('x-both', 'of the context');
        complete(served, own);
      });

      const { metadata } = await startCall(relay.client, kind).status;

      expect(metadata.get('x-own')).toEqual(['of the handler']);
      expect(metadata.get('x-context')).toEqual(['of the context']);
      expect(metadata.get('x-both').join()).toBe('of the handler, of the context');
      expect(own.getMap()).toEqual(ownTrailers().getMap());
    }
  });

  test('of the context are sent where the handler has none, and where it throws', async () => {
    for (const complete of [
      ({ succeed }: ServedCall) => succeed(),
      ({ fail }: ServedCall) => fail({ code: status.NOT_FOUND }),
      () => {
        throw new Error('by the handler');
      },
    ]) {
      await using relay = await startPlainRelay([callContextInterceptor()], (served) => {
        served.context.trailers.set('x-context', 'of the context');
        complete(served);
      });

      const { metadata } = await startCall(relay.client, 'unary').status;

      expect(metadata.get('x-context')).toEqual(['of the context']);
    }
  });
});

describe('sendMetadata', () => {
  const headers = (value: string): Metadata => {
    const metadata = new Metadata();
    metadata.set('x-header', value);
    return metadata;
  };

  test.each(CALL_KINDS)('sends the headers of a %s call, at once and once', async (kind) => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    const call = startCall(relay.client, kind);
    const { context, succeed } = await relay.nextCall();

    context.sendMetadata(headers('first'));
    const received = await call.headers;

    expect(received.get('x-header')).toEqual(['first']);
    expect(() => context.sendMetadata(headers('second'))).toThrow(
      /^The response headers of \/grpc_di\.test\.v1\.Relay\/\w+ were already sent: call sendMetadata once, before the first message$/,
    );
    succeed();
    expect((await call.status).code).toBe(status.OK);
  });

  test.each<[string, (call: ServedCall) => void]>([
    ['the handler sent headers', ({ grpc }) => grpc.sendMetadata(headers('of the handler'))],
    ['the first message was sent', ({ stream }) => stream.write(REPLY)],
  ])('is an error after %s', async (_, sendBefore) => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    startCall(relay.client, 'serverStream');
    const served = await relay.nextCall();

    sendBefore(served);

    expect(() => served.context.sendMetadata(headers('late'))).toThrow('were already sent');
  });

  test('takes a Metadata and nothing else', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    startCall(relay.client, 'unary');
    const { context } = await relay.nextCall();

    expect(() => context.sendMetadata({ 'x-header': 'plain' } as never)).toThrow(
      new TypeError("sendMetadata(headers): headers must be a Metadata of @grpc/grpc-js, not { 'x-header': 'plain' }"),
    );
    expect(() => context.sendMetadata(undefined as never)).toThrow(TypeError);
  });

  test('does nothing once the call is over', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    const call = startCall(relay.client, 'unary');
    const { context } = await relay.nextCall();
    call.cancel();
    await aborted(context.signal);

    expect(() => context.sendMetadata(headers('late'))).not.toThrow();
  });
});

describe('of its call, the context knows', () => {
  test.each(CALL_KINDS)('the method, host and peer of a %s call, also when it is over', async (kind) => {
    for (const end of ['complete', 'cancel', 'cut'] as const) {
      await using relay = await startPlainRelay([callContextInterceptor()]);
      await using proxy = await startTcpProxy(relay.port);
      const call = startCall(await relay.connect(proxy.address), kind, { keepsUploading: true });
      const { context, grpc, succeed } = await relay.nextCall();
      const known = { method: context.method, host: context.host, peer: context.peer };
      expect(known).toEqual({
        method: `/grpc_di.test.v1.Relay/${kind.charAt(0).toUpperCase()}${kind.slice(1)}`,
        host: proxy.address,
        peer: grpc.getPeer(),
      });
      expect(known.peer).toMatch(/^127\.0\.0\.1:\d+$/);

      ({ complete: succeed, cancel: call.cancel, cut: proxy.cut })[end]();
      await over(grpc);

      expect({ method: context.method, host: context.host, peer: context.peer }).toEqual(known);
    }
  });

  test.each(CALL_KINDS)('what a %s call came in with', async (kind) => {
    await using relay = await startPlainRelay([callContextInterceptor()], ({ succeed }) => succeed());
    const metadata = new Metadata();
    metadata.set('x-request-id', '42');

    await startCall(relay.client, kind, { metadata }).status;

    const { context, grpc } = await relay.nextCall();
    expect(context.requestMetadata.get('x-request-id')).toEqual(['42']);
    expect(context.requestMetadata).toBe(grpc.metadata);
  });
});

test('a long streaming call holds nothing of what it did', async () => {
  const subscribers = new Deferred<number[]>();
  await using relay = await startPlainRelay([callContextInterceptor()], ({ succeed }) => {
    void (async () => {
      const scope = currentScope()!;
      const counts = new Set<number>();
      for (let i = 0; i < 500; i++) {
        await runInCallContext({ timeoutMs: 60_000 }, async () => currentCallContext()!.signal);
        counts.add(scope.subscriberCount);
      }
      subscribers.resolve([...counts]);
      succeed();
    })();
  });

  await startCall(relay.client, 'bidi').status;

  expect(await subscribers.promise).toEqual([0]);
});

test('an interceptor that answers by itself completes the call', async () => {
  const answer: StatusObject = { code: status.RESOURCE_EXHAUSTED, details: 'too many', metadata: new Metadata() };
  const { interceptor, answerNow } = answering(answer);
  await using relay = await startPlainRelay([callContextInterceptor(), interceptor]);
  const call = startCall(relay.client, 'serverStream');
  const { context, grpc } = await relay.nextCall();

  answerNow();

  expect(await call.status).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'too many' });
  await over(grpc);
  expect([context.ended, context.signal.aborted]).toEqual([true, false]);
});
