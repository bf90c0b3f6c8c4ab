import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { currentCallContext, runInCallContext } from '@grpc-di/call-context';
import { callContextInterceptor, type ServerCallContext } from '@grpc-di/server';
import { CALL_KINDS, startTcpProxy } from '@grpc-di/test-rig';
import { describe, expect, jest, test } from '@jest/globals';
import type { Newable } from 'inversify';
import { startCall } from '../bare-call.js';
import {
  failing,
  type HostedCall,
  relayOf,
  reply,
  startHostedRelay,
  WITH_AND_WITHOUT_INTERCEPTOR,
} from '../hosted-relay.js';
import { startPlainRelay } from '../plain-relay.js';
import { aborted, Deferred } from '../waiting.js';

describe.each(WITH_AND_WITHOUT_INTERCEPTOR)('%s', (_, interceptors) => {
  describe.each(CALL_KINDS)('a %s method', (kind) => {
    test('finds the deadline, the request and the peer in its context', async () => {
      const served = new Deferred<ServerCallContext>();
      const Relay = relayOf(async function* ({ context }) {
        served.resolve(context);
        yield reply();
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
      const metadata = new Metadata();
      metadata.set('x-request-id', '42');
      const asked = Date.now() + 60_000;

      await startCall(relay.client, kind, { metadata, deadline: asked }).status;

      const context = await served.promise;
      expect(context.deadline).toBeGreaterThanOrEqual(asked - 1); // the header has whole milliseconds
      expect(context.deadline).toBeLessThan(asked + 1_000); // the server counts from its receipt
      expect(context.requestMetadata.get('x-request-id')).toEqual(['42']);
      expect(context.host).toBe(relay.address);
      expect(context.peer).toMatch(/^127\.0\.0\.1:\d+$/);
      expect([context.ended, context.cancelled]).toEqual([true, false]);
    });

    test('sends headers and trailers through its context', async () => {
      const Relay = relayOf(async function* ({ context }) {
        const headers = new Metadata();
        headers.set('x-header', 'h');
        context.sendMetadata(headers);
        context.trailers.set('x-trailer', 't');
        yield reply();
        expect(() => context.sendMetadata(headers)).toThrow('were already sent');
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

      const call = startCall(relay.client, kind);

      expect((await call.headers).get('x-header')).toEqual(['h']);
      const ended = await call.status;
      expect([ended.code, ended.metadata.get('x-trailer')]).toEqual([status.OK, ['t']]);
    });

    test.each(['cancel', 'cut', 'deadline'] as const)('hears of the end by %s', async (way) => {
      const served = new Deferred<ServerCallContext>();
      const finished = new Deferred<unknown>();
      const Relay = relayOf(async function* ({ context }) {
        const { signal, peer } = context;
        served.resolve(context);
        try {
          await aborted(signal);
          expect(currentCallContext()).toBe(context);
          expect(context.peer).toBe(peer);
          context.throwIfCancelled();
          yield reply();
        } catch (error) {
          finished.resolve(error);
          throw error;
        }
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
      await using proxy = await startTcpProxy(relay.port);
      const options = way === 'deadline' ? { deadline: Date.now() + 200 } : {};
      const call = startCall(await relay.connect(proxy.address), kind, { keepsUploading: true, ...options });
      const context = await served.promise;

      if (way !== 'deadline') {
        ({ cancel: call.cancel, cut: proxy.cut })[way]();
      }

      const code = way === 'deadline' ? status.DEADLINE_EXCEEDED : status.CANCELLED;
      expect(await finished.promise).toMatchObject({ name: 'CallCancelledError', code });
      expect([context.cancelled, context.ended]).toEqual([true, false]);
    });

    test('has an ended context when it is done, and the context of no other call', async () => {
      const late = new Deferred<unknown>();
      const go = new Deferred();
      const Relay = relayOf(async function* () {
        void go.promise.then(() => setTimeout(() => late.resolve(currentCallContext()), 1));
        yield reply();
      });
      await using relay = await runInCallContext({ timeoutMs: 60_000 }, () =>
        startHostedRelay(Relay, { interceptors: interceptors() }),
      );

      await startCall(relay.client, kind).status;
      go.resolve();

      expect(await late.promise).toBeUndefined();
    });

    test('that fails with no onError given is logged to the console', async () => {
      const error = new Error('secret');
      const log = jest.spyOn(console, 'error').mockImplementation(() => {});
      await using relay = await startHostedRelay(failing(error), { interceptors: interceptors() });

      const { code, details } = await startCall(relay.client, kind).status;

      expect([code, details]).toEqual([status.UNKNOWN, 'Unknown error']);
      expect(log.mock.calls).toEqual([[expect.stringMatching(/^\/grpc_di\.test\.v1\.Relay\/\w+ failed:$/), error]]);
      log.mockRestore();
    });

    test.each<[string, () => unknown]>([
      [
        'throws',
        () => {
          throw new Error('in onError');
        },
      ],
      ['rejects', () => Promise.reject(new Error('in onError'))],
    ])('that fails is answered although onError %s', async (_how, onError) => {
      const log = jest.spyOn(console, 'error').mockImplementation(() => {});
      await using relay = await startHostedRelay(failing(new Error('secret')), {
        interceptors: interceptors(),
        onError,
      });

      expect(await startCall(relay.client, kind).status).toMatchObject({ code: status.UNKNOWN });

      expect(String(log.mock.calls[0]![1])).toBe('Error: in onError');
      log.mockRestore();
    });

    test.each<[string, (method: () => never) => unknown, string]>([
      ['throws at once', (method) => method(), 'thrown'],
      ['is async and rejects', async (method) => method(), 'thrown'],
      ['returns undefined', () => undefined, 'instead of a message|returned no async iterable'],
      ['returns a promise of undefined', async () => undefined, 'instead of a message|returned no async iterable'],
    ])('that %s fails the call, and hangs nobody', async (_how, run, complaint) => {
      const errors: unknown[] = [];
      const method = (): unknown =>
        run(() => {
          throw new Error('thrown');
        });
      class Relay {
        unary = method;
        serverStream = method;
        clientStream = method;
        bidi = method;
      }
      await using relay = await startHostedRelay(Relay, {
        interceptors: interceptors(),
        onError: (error) => errors.push(error),
      });

      expect(await startCall(relay.client, kind).status).toMatchObject({ code: status.UNKNOWN });

      expect(errors.map(String)).toEqual([expect.stringMatching(complaint)]);
    });
  });

  test.each(['serverStream', 'bidi'] as const)(
    'a %s method may return any iterable, or a promise of one',
    async (kind) => {
      for (const responses of [
        [reply('a'), reply('b')],
        new Set([reply('a'), reply('b')]),
        Promise.resolve([reply('a'), reply('b')]),
      ]) {
        await using relay = await startHostedRelay(
          classWith(kind, () => responses),
          { interceptors: interceptors() },
        );
        const call = startCall(relay.client, kind);
        expect((await call.status).code).toBe(status.OK);
        expect(call.replies.map(({ text }) => text)).toEqual(['a', 'b']);
      }
    },
  );

  test.each(['serverStream', 'bidi'] as const)(
    'a %s method has sent its headers with its first message',
    async (kind) => {
      const Relay = relayOf(async function* ({ context }) {
        yield reply();
        expect(() => context.sendMetadata(new Metadata())).toThrow('were already sent');
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

      expect((await startCall(relay.client, kind).status).code).toBe(status.OK);
    },
  );

  test.each(CALL_KINDS)('a %s method that fails has an ended context', async (kind) => {
    const served = new Deferred<ServerCallContext>();
    const Relay = relayOf(async function* ({ context }) {
      served.resolve(context);
      yield reply();
      throw Object.assign(new Error(), { code: status.NOT_FOUND, details: 'no' });
    });
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

    expect((await startCall(relay.client, kind).status).code).toBe(status.NOT_FOUND);

    const context = await served.promise;
    expect([context.ended, context.cancelled]).toEqual([true, false]);
  });

  test('methods of one call after the other have a context each', async () => {
    const contexts = new Set<ServerCallContext>();
    const Relay = relayOf(async function* ({ context }) {
      contexts.add(context);
      yield reply(context.deadline);
    });
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

    for (const kind of CALL_KINDS) {
      await startCall(relay.client, kind).status;
    }

    expect(contexts.size).toBe(4);
  });
});

test('a method sees the request metadata that an interceptor replaced, and its headers pass the interceptor', async () => {
  const replacement = new Metadata();
  replacement.set('x-user', 'authenticated');
  const passed: Metadata[] = [];
  const interceptor: ServerInterceptor = (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => next({ onReceiveMetadata: (_metadata, mdNext) => mdNext(replacement) }),
      sendMetadata: (metadata, next) => {
        passed.push(metadata);
        next(metadata);
      },
    });
  for (const [, first] of WITH_AND_WITHOUT_INTERCEPTOR) {
    const headers = new Metadata();
    const Relay = relayOf(async function* ({ context }: HostedCall) {
      context.sendMetadata(headers);
      yield reply(context.requestMetadata.get('x-user').join());
    });
    await using relay = await startHostedRelay(Relay, { interceptors: [...first(), interceptor] });

    const call = startCall(relay.client, 'unary');
    await call.status;

    expect(call.replies[0]!.text).toBe('authenticated');
    expect(passed.pop()).toBe(headers);
  }
});

test.each(CALL_KINDS)(
  'a %s method of a server that was bound inside a handler has a context of its own',
  async (kind) => {
    const contexts: ServerCallContext[] = [];
    await using outer = await startPlainRelay([callContextInterceptor()]);
    const outerCall = startCall(outer.client, kind, { deadline: Date.now() + 60_000 });
    const { context, succeed, runInHandler } = await outer.nextCall();
    const Inner = relayOf(async function* (call) {
      contexts.push(call.context);
      yield reply();
    });
    await using inner = await runInHandler(() => startHostedRelay(Inner));

    expect((await startCall(inner.client, kind).status).code).toBe(status.OK);

    expect(contexts.map(({ deadline }) => deadline)).toEqual([Infinity]);
    expect([context.ended, context.cancelled]).toEqual([false, false]);
    succeed();
    expect((await outerCall.status).code).toBe(status.OK);
  },
);

test.each(CALL_KINDS)(
  'a %s method that completes under cancelOnCompletion cancels what it left running',
  async (kind) => {
    const served = new Deferred<AbortSignal>();
    const Relay = relayOf(async function* ({ context }) {
      served.resolve(context.signal);
      yield reply();
    });
    await using relay = await startHostedRelay(Relay, {
      interceptors: [callContextInterceptor({ cancelOnCompletion: true })],
    });

    expect((await startCall(relay.client, kind).status).code).toBe(status.OK);

    const { reason } = await served.promise;
    expect(reason).toMatchObject({ code: status.CANCELLED });
  },
);

test.each(CALL_KINDS)(
  'a %s method hears of maxTimeoutMs, and its client gets the interceptor’s answer',
  async (kind) => {
    const finished = new Deferred<unknown>();
    const Relay = relayOf(async function* ({ context }) {
      yield reply();
      await sleep(60_000, undefined, { signal: context.signal }).catch((error: Error) => finished.resolve(error.cause));
      throw new Error('nobody hears of it');
    });
    await using relay = await startHostedRelay(Relay, {
      interceptors: [callContextInterceptor({ maxTimeoutMs: 150 })],
      onError: () => {},
    });

    expect(await startCall(relay.client, kind).status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: 'Deadline exceeded: this server lets a call take 150 ms at most',
    });

    expect(await finished.promise).toMatchObject({ name: 'CallCancelledError', code: status.DEADLINE_EXCEEDED });
  },
);

function classWith(kind: string, method: () => unknown): Newable<object> {
  return class Relay {
    [kind] = method;
  };
}
