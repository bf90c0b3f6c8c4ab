import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep, setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { Metadata, status } from '@grpc/grpc-js';
import { type CallContext, currentCallContext, runInCallContext } from '@grpc-di/call-context';
import { callContextInterceptor } from '@grpc-di/server';
import { CALL_KINDS, type CallKind, startTcpProxy } from '@grpc-di/test-rig';
import { describe, expect, test } from '@jest/globals';
import { REQUEST, startCall } from '../bare-call.js';
import { REPLY, type ServedCall, startPlainRelay } from '../plain-relay.js';
import { aborted, Deferred, over } from '../waiting.js';

const isUpload = (kind: CallKind): boolean => kind === 'clientStream' || kind === 'bidi';
const isStream = (kind: CallKind): boolean => kind === 'serverStream' || kind === 'bidi';

describe('the context is found', () => {
  test.each(CALL_KINDS)('wherever the handler of a %s call goes, also after the cancellation', async (kind) => {
    const found: Record<string, CallContext | undefined> = {};
    const look = (place: string) => (): void => {
      found[place] = currentCallContext();
    };
    const visited = new Deferred();
    async function visit({ stream }: ServedCall): Promise<void> {
      look('handler')();
      for (const event of ['cancelled', 'close', 'drain', ...(isUpload(kind) ? ['data', 'end'] : [])]) {
        stream.on(event, look(`'${event}'`));
      }
      const upload = isUpload(kind) ? once(stream, 'end') : undefined;
      const own = new EventEmitter().on('event', look('own emitter'));
      setTimeout(() => own.emit('event'), 1);
      process.nextTick(look('nextTick'));
      queueMicrotask(look('microtask'));
      setImmediate(look('setImmediate'));
      setTimeout(look('timer'), 1);
      await Promise.resolve();
      look('after an await')();
      for await (const _ of ticks()) {
        look('for await')();
      }
      if (isStream(kind)) {
        await new Promise<void>((resolve) => {
          stream.write(REPLY, () => {
            look('write callback')();
            resolve();
          });
        });
        while (stream.write(REPLY)); // the writable is full: 'drain' follows
        await once(stream, 'drain');
      }
      await upload;
      await sleep(2); // after the timers above
      look('after many awaits')();
      visited.resolve();
    }
    async function* ticks(): AsyncGenerator<void> {
      await turnOfEventLoop();
      look('async generator')();
      yield;
    }
    await using relay = await startPlainRelay([callContextInterceptor()], (served) => void visit(served));

    const call = startCall(relay.client, kind, { requests: [REQUEST, REQUEST] });
    const { grpc, context } = await relay.nextCall();
    await visited.promise;
    call.cancel();
    await (kind === 'unary' ? over(grpc) : once(grpc, 'close'));

    const places = ['handler', 'own emitter', 'nextTick', 'microtask', 'setImmediate', 'timer', 'after an await'];
    places.push('async generator', 'for await', 'after many awaits', "'cancelled'");
    places.push(...(kind === 'unary' ? [] : ["'close'"]));
    places.push(...(isUpload(kind) ? ["'data'", "'end'"] : []));
    places.push(...(isStream(kind) ? ['write callback', "'drain'"] : []));
    expect(Object.keys(found).sort()).toEqual(places.sort());
    for (const [place, seen] of Object.entries(found)) {
      expect([place, seen === context]).toEqual([place, true]);
    }
  });

  test('by each of 100 concurrent calls as its own', async () => {
    const everybodyIsHere = new Deferred();
    const served: { own: number; seen: Set<number | undefined> }[] = [];
    async function visit({ grpc, succeed }: ServedCall): Promise<void> {
      const seen = new Set<number | undefined>();
      const look = (): void => void seen.add(currentCallContext()?.deadline);
      served.push({ own: Number(grpc.getDeadline()), seen });
      grpc.on('data', look);
      look();
      if (served.length === 100) {
        everybodyIsHere.resolve();
      }
      await everybodyIsHere.promise;
      look();
      await Promise.all([sleep(1), turnOfEventLoop()]);
      look();
      process.nextTick(look);
      setImmediate(() => {
        look();
        succeed();
      });
    }
    await using relay = await startPlainRelay([callContextInterceptor()], (call) => void visit(call));

    const now = Date.now();
    const asked = Array.from({ length: 100 }, (_, i) => now + (i + 1) * 60_000);
    const calls = asked.map((deadline, i) => startCall(relay.client, CALL_KINDS[i % 4]!, { deadline }));
    const statuses = await Promise.all(calls.map((call) => call.status));

    expect(statuses.map(({ code }) => code)).toEqual(asked.map(() => status.OK));
    for (const { own, seen } of served) {
      expect([...seen]).toEqual([own]);
    }
    // The minute that each was asked for, give or take half of one: none got another's.
    const minutes = served.map(({ own }) => Math.round((own - now) / 60_000)).sort((a, b) => a - b);
    expect(minutes).toEqual(asked.map((_, i) => i + 1));
  });

  test.each(CALL_KINDS)('by a %s handler as the call’s, not the one that the server was bound in', async (kind) => {
    await using relay = await runInCallContext({ timeoutMs: 60_000 }, () =>
      startPlainRelay([callContextInterceptor()], ({ succeed }) => succeed()),
    );

    await startCall(relay.client, kind).status;

    const { context } = await relay.nextCall();
    expect(context.method).toContain('/grpc_di.test.v1.Relay/');
    expect(context.deadline).toBe(Infinity);
  });
});

describe.each(CALL_KINDS)('a %s call', (kind) => {
  test('that its client cancels is cancelled with code 1', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    const call = startCall(relay.client, kind, { keepsUploading: true });
    const { context } = await relay.nextCall();
    expect(context.signal.aborted).toBe(false);

    call.cancel();
    await aborted(context.signal);

    expect(context.signal.reason).toMatchObject({ name: 'CallCancelledError', code: status.CANCELLED });
    expect(context.signal.reason.message).toMatch(
      /^The call of \/grpc_di\.test\.v1\.Relay\/\w+ was cancelled by its client, or the connection dropped$/,
    );
    expect([context.cancelled, context.ended]).toEqual([true, false]);
    expect(() => context.throwIfCancelled()).toThrow(context.signal.reason);
  });

  test('whose connection drops is cancelled with code 1', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    await using proxy = await startTcpProxy(relay.port);
    const call = startCall(await relay.connect(proxy.address), kind, {
      keepsUploading: true,
      deadline: Date.now() + 60_000,
    });
    const { context } = await relay.nextCall();

    proxy.cut();
    await aborted(context.signal);

    expect(context.signal.reason).toMatchObject({ code: status.CANCELLED });
    expect((await call.status).code).toBe(status.UNAVAILABLE);
  });

  test('that the server’s shutdown cuts is cancelled with code 1', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    startCall(relay.client, kind, { keepsUploading: true });
    const { context } = await relay.nextCall();

    relay.server.forceShutdown();
    await aborted(context.signal);

    expect(context.signal.reason).toMatchObject({ code: status.CANCELLED });
  });

  test('whose deadline passes is cancelled with code 4, whoever notices first', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    const call = startCall(relay.client, kind, { keepsUploading: true, deadline: Date.now() + 200 });
    const { context } = await relay.nextCall();

    await aborted(context.signal);

    expect(context.signal.reason).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(context.signal.reason.message).toMatch(/was cut short: its deadline passed$/);
    expect((await call.status).code).toBe(status.DEADLINE_EXCEEDED);
  });

  test.each<[string, (call: ServedCall) => void, status]>([
    ['with success', ({ succeed }) => succeed(), status.OK],
    ['with an error', ({ fail }) => fail({ code: status.NOT_FOUND, details: 'no' }), status.NOT_FOUND],
  ])('that its handler completes %s has ended, and is not cancelled', async (_, complete, code) => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    const call = startCall(relay.client, kind, { keepsUploading: true });
    const served = await relay.nextCall();
    const { signal } = served.context;

    complete(served);
    const { code: received } = await call.status;
    await over(served.grpc);

    expect(received).toBe(code);
    expect([served.context.ended, served.context.cancelled, signal.aborted]).toEqual([true, false, false]);
  });

  test('whose handler throws has ended, and is not cancelled', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()], ({ context }) => {
      void context.signal;
      throw new Error('by the handler');
    });
    const call = startCall(relay.client, kind);
    const { grpc, context } = await relay.nextCall();

    expect(await call.status).toMatchObject({ code: status.UNKNOWN, details: 'Unknown error' });
    await over(grpc);

    expect([context.ended, context.cancelled, context.signal.aborted]).toEqual([true, false, false]);
  });

  test('that is completed is no longer found by what it left behind', async () => {
    const completed = new Deferred();
    const foundLate = new Deferred<unknown>();
    await using relay = await startPlainRelay([callContextInterceptor()], ({ succeed }) => {
      void completed.promise.then(() => setTimeout(() => foundLate.resolve(currentCallContext()), 1));
      succeed();
    });

    await startCall(relay.client, kind).status;
    completed.resolve();

    expect(await foundLate.promise).toBeUndefined();
  });

  test('that was cancelled first stays cancelled when its handler completes', async () => {
    await using relay = await startPlainRelay([callContextInterceptor()]);
    const call = startCall(relay.client, kind, { keepsUploading: true });
    const served = await relay.nextCall();
    call.cancel();
    await over(served.grpc);

    served.succeed();

    expect([served.context.cancelled, served.context.ended]).toEqual([true, false]);
  });
});

test.each(['unary', 'clientStream'] as const)(
  'a %s call has ended as soon as its handler called back',
  async (kind) => {
    const afterwards = new Deferred<unknown[]>();
    await using relay = await startPlainRelay([callContextInterceptor()], ({ succeed, context }) => {
      succeed();
      afterwards.resolve([context.ended, currentCallContext()]);
    });

    const call = startCall(relay.client, kind);

    expect(await afterwards.promise).toEqual([true, undefined]);
    expect(call.replies).toEqual([]);
    await call.status;
  },
);

describe('maxTimeoutMs', () => {
  const MAX_MS = 150;
  const DETAILS = 'Deadline exceeded: this server lets a call take 150 ms at most';

  describe.each(CALL_KINDS)('ends a %s call', (kind) => {
    test.each<[string, number | undefined]>([
      ['without a deadline', undefined],
      ['with a later deadline', 60_000],
    ])('%s with DEADLINE_EXCEEDED', async (_, timeoutMs) => {
      await using relay = await startPlainRelay([callContextInterceptor({ maxTimeoutMs: MAX_MS, deadlineSlackMs: 0 })]);
      const startedAt = Date.now();
      const call = startCall(relay.client, kind, {
        keepsUploading: true,
        ...(timeoutMs !== undefined && { deadline: startedAt + timeoutMs }),
      });
      const served = await relay.nextCall();
      const { context } = served;

      expect(await call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, details: DETAILS });

      expect(Date.now() - startedAt).toBeGreaterThanOrEqual(MAX_MS);
      expect(context.deadline).toBeGreaterThanOrEqual(startedAt + MAX_MS);
      expect(context.deadline).toBeLessThan(startedAt + 60_000);
      expect(context.signal.reason).toMatchObject({ code: status.DEADLINE_EXCEEDED });

      // What the handler still does is harmless, to this call and to the next.
      served.succeed();
      served.fail({ code: status.INTERNAL });
      const next = startCall(relay.client, kind);
      (await relay.nextCall()).succeed();
      expect((await next.status).code).toBe(status.OK);
    });
  });

  test('leaves a call with an earlier deadline its own', async () => {
    await using relay = await startPlainRelay([callContextInterceptor({ maxTimeoutMs: 60_000 })]);
    const call = startCall(relay.client, 'unary', { deadline: Date.now() + 200 });
    const { grpc, context } = await relay.nextCall();

    expect(context.deadline).toBe(grpc.getDeadline());
    expect((await call.status).details).not.toContain('this server lets a call take');
    await aborted(context.signal);
    expect(context.signal.reason).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('leaves a call that completes in time alone', async () => {
    await using relay = await startPlainRelay([callContextInterceptor({ maxTimeoutMs: MAX_MS })]);
    const call = startCall(relay.client, 'serverStream');
    const { context, succeed } = await relay.nextCall();

    succeed();
    expect((await call.status).code).toBe(status.OK);
    await sleep(MAX_MS + 10); // until the cap has passed

    expect([context.ended, context.signal.aborted]).toEqual([true, false]);
  });

  test.each(CALL_KINDS)('answers before the %s handler that hears of it can', async (kind) => {
    await using relay = await startPlainRelay([callContextInterceptor({ maxTimeoutMs: MAX_MS })], (served) => {
      served.context.trailers.set('x-context', 'of the context');
      served.context.signal.addEventListener('abort', () => served.succeed());
    });

    const { code, metadata } = await startCall(relay.client, kind).status;

    expect(code).toBe(status.DEADLINE_EXCEEDED);
    expect(metadata.get('x-context')).toEqual(['of the context']);
  });

  test('ends a stream whose client has stopped to read, and whose handler goes on writing', async () => {
    const text = 'x'.repeat(100_000);
    await using relay = await startPlainRelay([callContextInterceptor({ maxTimeoutMs: MAX_MS })]);
    const call = startCall(relay.client, 'serverStream');
    call.download.once('data', () => call.download.pause());
    const { stream, context } = await relay.nextCall();
    while (stream.write({ ...REPLY, text }));

    await aborted(context.signal);
    stream.write(REPLY);
    stream.end();
    call.download.resume();

    expect((await call.status).code).toBe(status.DEADLINE_EXCEEDED);
    const next = startCall(relay.client, 'unary');
    (await relay.nextCall()).succeed();
    expect((await next.status).code).toBe(status.OK);
  });
});

test('sends what the handler sends', async () => {
  const trailers = new Metadata();
  trailers.set('x-trailer', 'of the handler');
  const headers = new Metadata();
  headers.set('x-header', 'of the handler');
  await using relay = await startPlainRelay([callContextInterceptor()], ({ grpc, succeed }) => {
    grpc.sendMetadata(headers);
    succeed(trailers);
  });

  const call = startCall(relay.client, 'bidi');

  expect((await call.headers).get('x-header')).toEqual(['of the handler']);
  expect((await call.status).metadata.get('x-trailer')).toEqual(['of the handler']);
  expect(call.replies).toEqual([REPLY]);
});
