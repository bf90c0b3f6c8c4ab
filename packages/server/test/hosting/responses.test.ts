import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { callContextInterceptor, currentServerCallContext, type ServerCallContext } from '@grpc-di/server';
import { RelayReply } from '@grpc-di/test-rig';
import { describe, expect, test } from '@jest/globals';
import type { Newable } from 'inversify';
import { type BareCall, startCall } from '../bare-call.js';
import { relayOf, reply, startHostedRelay, WITH_AND_WITHOUT_INTERCEPTOR } from '../hosted-relay.js';
import { answering } from '../interceptors.js';
import { aborted, Deferred } from '../waiting.js';

/** Far more than the windows of a connection hold. */
const BIG = RelayReply.fromPartial({ text: 'x'.repeat(200_000) });

describe.each(WITH_AND_WITHOUT_INTERCEPTOR)('%s', (_, interceptors) => {
  describe.each(['serverStream', 'bidi'] as const)('a %s method', (kind) => {
    test('has its responses arrive in order', async () => {
      const Relay = relayOf(async function* () {
        for (let i = 0; i < 1_000; i++) {
          yield reply(i);
        }
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

      const call = startCall(relay.client, kind);

      expect((await call.status).code).toBe(status.OK);
      expect(call.replies.map(({ text }) => text)).toEqual(Array.from({ length: 1_000 }, (_value, i) => String(i)));
    });

    test('may respond nothing', async () => {
      await using relay = await startHostedRelay(
        relayOf(async function* () {}),
        { interceptors: interceptors() },
      );

      const call = startCall(relay.client, kind);

      expect((await call.status).code).toBe(status.OK);
      expect(call.replies).toEqual([]);
    });

    test('is pulled no faster than the client reads', async () => {
      let pulled = 0;
      const Relay = relayOf(async function* () {
        for (; pulled < 200; pulled++) {
          yield BIG;
        }
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
      const call = startCall(relay.client, kind);
      await stopReading(call);

      // Nothing tells that nothing happens any more.
      for (let before = -1; before !== pulled || pulled === 0; await sleep(50)) {
        before = pulled;
      }
      // What grpc-js lets into its streams, 16 messages in the server's and 16 in the client's, and what is under way.
      expect(pulled).toBeLessThan(40);

      call.download.resume();
      expect((await call.status).code).toBe(status.OK);
      expect(call.replies).toHaveLength(200);
    });

    test.each<[string, unknown]>([
      ['undefined', undefined],
      ['null', null],
    ])('that yields %s fails, and its finally runs', async (_value, response) => {
      const errors: unknown[] = [];
      const cleanedUp = new Deferred();
      const Relay = relayOf(async function* () {
        try {
          yield response as RelayReply;
          yield reply('not any more');
        } finally {
          cleanedUp.resolve();
        }
      });
      await using relay = await startHostedRelay(Relay, {
        interceptors: interceptors(),
        onError: (error) => errors.push(error),
      });
      const call = startCall(relay.client, kind);

      expect((await call.status).code).toBe(status.UNKNOWN);

      await cleanedUp.promise;
      expect(call.replies).toEqual([]);
      expect(String(errors[0])).toMatch(/responded with (undefined|null) instead of a message$/);
    });

    describe('whose client cancels runs its finally, in its context,', () => {
      async function cleanUp(
        method: (context: ServerCallContext, waits: () => void) => AsyncGenerator<RelayReply>,
      ): Promise<{ foundOwnContext: boolean; code: status }> {
        const waiting = new Deferred();
        const cleanedUp = new Deferred<boolean>();
        const Relay = relayOf(async function* ({ context }) {
          try {
            yield* method(context, waiting.resolve);
          } finally {
            cleanedUp.resolve(currentServerCallContext() === context);
          }
        });
        await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
        const call = startCall(relay.client, kind);
        await Promise.all([stopReading(call), waiting.promise]);
        call.cancel();
        return { foundOwnContext: await cleanedUp.promise, code: (await call.status).code };
      }

      const EXPECTED = { foundOwnContext: true, code: status.CANCELLED };

      test('while it waits for its signal', async () => {
        const outcome = await cleanUp(async function* ({ signal }, waits) {
          yield reply();
          waits();
          await sleep(60_000, undefined, { signal });
        });
        expect(outcome).toEqual(EXPECTED);
      });

      test('once what it waits for is there', async () => {
        const outcome = await cleanUp(async function* ({ signal }, waits) {
          yield reply();
          waits();
          await new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 5)));
          yield reply('to nobody');
          throw new Error('never pulled again');
        });
        expect(outcome).toEqual(EXPECTED);
      });

      test('while the client does not read', async () => {
        expect(await cleanUp((_context, waits) => flood(waits))).toEqual(EXPECTED);
      });
    });

    test('that an interceptor cuts off runs its finally at its next response', async () => {
      const cutOff = new Deferred();
      const cleanedUp = new Deferred();
      const Relay = relayOf(async function* () {
        try {
          yield reply();
          await cutOff.promise;
          yield reply('to nobody');
          throw new Error('never pulled again');
        } finally {
          cleanedUp.resolve();
        }
      });
      const answer: StatusObject = { code: status.RESOURCE_EXHAUSTED, details: 'enough', metadata: new Metadata() };
      const { interceptor, answerNow } = answering(answer);
      const errors: unknown[] = [];
      await using relay = await startHostedRelay(Relay, {
        interceptors: [...interceptors(), interceptor],
        onError: (error) => errors.push(error),
      });
      const call = startCall(relay.client, kind);
      await once(call.download, 'data');

      answerNow();
      expect((await call.status).code).toBe(status.RESOURCE_EXHAUSTED);
      cutOff.resolve();

      await cleanedUp.promise;
      await turnOfEventLoop(); // for onError, if it was pulled again
      expect(errors).toEqual([]);
    });

    test('that an interceptor cuts off while the client does not read runs its finally when the client leaves', async () => {
      const heldBack = new Deferred();
      const cleanedUp = new Deferred();
      const Relay = relayOf(async function* () {
        try {
          yield* flood(heldBack.resolve);
        } finally {
          cleanedUp.resolve();
        }
      });
      const answer: StatusObject = { code: status.RESOURCE_EXHAUSTED, details: 'enough', metadata: new Metadata() };
      const { interceptor, answerNow } = answering(answer);
      await using relay = await startHostedRelay(Relay, { interceptors: [...interceptors(), interceptor] });
      const call = startCall(relay.client, kind);
      await Promise.all([stopReading(call), heldBack.promise]);

      answerNow();
      call.cancel();

      await cleanedUp.promise;
    });

    test('whose finally throws when its client has cancelled fails nobody', async () => {
      const heldBack = new Deferred();
      const cleanedUp = new Deferred();
      const errors: unknown[] = [];
      const Relay = relayOf(async function* () {
        try {
          yield* flood(heldBack.resolve);
        } finally {
          cleanedUp.resolve();
          await Promise.reject(new Error('in finally'));
        }
      });
      await using relay = await startHostedRelay(Relay, {
        interceptors: interceptors(),
        onError: (error) => errors.push(error),
      });
      const call = startCall(relay.client, kind);
      await Promise.all([stopReading(call), heldBack.promise]);

      call.cancel();

      await cleanedUp.promise;
      await turnOfEventLoop(); // an unhandled rejection would fail this test
      expect(errors).toEqual([]);
    });
  });

  test('an iterator that is no generator is asked to return at once', async () => {
    const waiting = new Deferred();
    const returned = new Deferred();
    const responses: AsyncIterable<RelayReply> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          waiting.resolve();
          return new Promise(() => {}); // for ever
        },
        return: async () => {
          returned.resolve();
          return { done: true, value: undefined };
        },
      }),
    };
    await using relay = await startHostedRelay(
      streaming(() => responses),
      { interceptors: interceptors() },
    );
    const call = startCall(relay.client, 'serverStream');
    await waiting.promise;

    call.cancel();

    await returned.promise;
  });

  test('an iterator that came to its end is not asked to return', async () => {
    let returned = false;
    const responses: AsyncIterable<RelayReply> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: true, value: undefined }),
        return: async () => {
          returned = true;
          return { done: true, value: undefined };
        },
      }),
    };
    await using relay = await startHostedRelay(
      streaming(() => responses),
      { interceptors: [callContextInterceptor({ cancelOnCompletion: true })] },
    );

    expect((await startCall(relay.client, 'serverStream').status).code).toBe(status.OK);

    expect(returned).toBe(false);
  });

  test('a stream is read to its end, or destroyed at its next message when the client cancels', async () => {
    const endless = new Readable({ objectMode: true, read() {} });
    const streams = [Readable.from([reply('a'), reply('b')]), endless];
    let last: ServerCallContext | undefined;
    const Relay = streaming((context) => {
      last = context;
      return streams.shift();
    });
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

    const whole = startCall(relay.client, 'serverStream');
    expect((await whole.status).code).toBe(status.OK);
    expect(whole.replies.map(({ text }) => text)).toEqual(['a', 'b']);

    const cut = startCall(relay.client, 'serverStream');
    endless.push(reply('c'));
    await once(cut.download, 'data');
    cut.cancel();
    await aborted(last!.signal);
    endless.push(reply('d'));
    await new Promise((resolve) => endless.on('close', resolve)); // once() would throw the stream's AbortError
  });
});

/** Responds for ever, and says when it is held back. */
async function* flood(heldBack: () => void): AsyncGenerator<RelayReply> {
  let sent = 0;
  let sentBefore = -1;
  const watch = setInterval(() => {
    if (sent === sentBefore) {
      clearInterval(watch);
      heldBack();
    }
    sentBefore = sent;
  }, 20);
  for (; ; sent++) {
    yield BIG;
  }
}

/** Takes one message, and then no more: a grpc-js client that never reads buffers all there is. */
async function stopReading({ download }: BareCall): Promise<void> {
  await once(download, 'data');
  download.pause();
}

function streaming(method: (context: ServerCallContext) => unknown): Newable<object> {
  return class Relay {
    serverStream(_request: unknown, context: ServerCallContext): unknown {
      return method(context);
    }
  };
}
