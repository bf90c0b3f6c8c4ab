import 'reflect-metadata';
import { errorMonitor } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { type ServerDuplexStream, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { GrpcCallOptions, GrpcClient, ServerStreamingCall } from '@grpc-di/client-factory';
import type { LeafClient, RelayReply, RelayRequest } from '@grpc-di/test-rig';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  closeAll,
  deferred,
  errorOf,
  first,
  messagesOf,
  REPLY,
  REQUEST,
  reply,
  type StartedCall,
  serve,
  statusOf,
  stoodStill,
} from './served-calls.js';

afterAll(closeAll);

const KINDS = ['serverStream', 'bidi'] as const;

type Kind = (typeof KINDS)[number];
type Responses = ServerWritableStream<RelayRequest, RelayReply> | ServerDuplexStream<RelayRequest, RelayReply>;

/** Serves both kinds with one handler, which only writes. */
function serveResponses(handle: (call: Responses) => void): ReturnType<typeof serve> {
  return serve({
    serverStream: handle,
    bidi: (call) => {
      call.resume();
      handle(call);
    },
  });
}

function open(client: GrpcClient<LeafClient>, kind: Kind, options?: GrpcCallOptions): ServerStreamingCall<RelayReply> {
  return kind === 'serverStream' ? client.serverStream(REQUEST, options) : client.bidi([REQUEST], options);
}

function fail(call: Responses, code = status.ABORTED, details = 'no'): void {
  call.emit('error', { code, details });
}

function ids(messages: readonly RelayReply[]): string[] {
  return messages.map(({ id }) => id);
}

/** The ids of what a loop yields before it throws, and what it throws. */
async function loop(call: AsyncIterable<RelayReply>): Promise<{ received: string[]; error?: unknown }> {
  const received: string[] = [];
  try {
    for await (const { id } of call) {
      received.push(id);
    }
    return { received };
  } catch (error) {
    return { received, error };
  }
}

/** Two replies, then a failure as soon as the client has said (by a second call) that it has both. */
function serveTwoThenFail(): ReturnType<typeof serve> {
  return serveResponses((call) => {
    call.write(reply('1'));
    call.write(reply('2'));
    // Behind the messages, on the same stream.
    setImmediate(() => fail(call));
  });
}

describe.each(KINDS)('%s: for await', (kind) => {
  test('yields 20,000 messages in order, and then ends', async () => {
    const total = 20_000;
    await using served = await serveResponses((call) => {
      sendAll(call, numbered(total));
    });
    let next = 0;

    for await (const { id } of open(served.client, kind)) {
      if (id !== `${next}`) {
        throw new Error(`${id} came instead of ${next}`);
      }
      next++;
    }

    expect(next).toBe(total);
  }, 30_000);

  test('yields them in order to a loop that is slow now and then', async () => {
    await using served = await serveResponses((call) => {
      sendAll(call, numbered(500));
    });
    const received: string[] = [];

    for await (const { id } of open(served.client, kind)) {
      received.push(id);
      if (received.length % 50 === 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      } else if (received.length % 7 === 0) {
        await new Promise(setImmediate);
      }
    }

    expect(received).toEqual(ids([...numbered(500)]));
  });

  test('yields nothing of an empty stream', async () => {
    await using served = await serveResponses((call) => void call.end());

    expect(await loop(open(served.client, kind))).toEqual({ received: [] });
  });

  test.each(['break', 'return', 'throw'])('left by %s cancels the call at the server', async (how) => {
    const cancelled = deferred();
    await using served = await serveResponses((call) => {
      call.on('cancelled', () => cancelled.resolve());
      call.write(reply('1'));
      call.write(reply('2'));
    });
    const call = open(served.client, kind);
    const received: string[] = [];
    const leave = async (): Promise<void> => {
      for await (const { id } of call) {
        received.push(id);
        if (how === 'break') {
          break;
        } else if (how === 'return') {
          return;
        }
        throw new Error('of the loop');
      }
    };

    await (how === 'throw' ? expect(leave()).rejects.toThrow('of the loop') : leave());

    expect(received).toEqual(['1']);
    expect((await call.status).code).toBe(status.CANCELLED);
    await cancelled.promise;
  });

  test('left early when all has arrived is no failure of anybody', async () => {
    await using served = await serveResponses((call) => {
      call.write(reply('1'));
      call.end();
    });
    const call = open(served.client, kind);
    for await (const _message of call) {
      break;
    }

    expect([status.OK, status.CANCELLED]).toContain((await call.status).code);
  });

  test('throws the ServiceError of a call that fails', async () => {
    await using served = await serveResponses((call) => fail(call));

    const { error } = await loop(open(served.client, kind));

    expect(error).toMatchObject({ code: status.ABORTED, details: 'no', message: '10 ABORTED: no' });
  });

  test('yields what came before the failure first', async () => {
    await using served = await serveTwoThenFail();
    const call = open(served.client, kind);
    const received: string[] = [];
    let error: unknown;
    try {
      for await (const { id } of call) {
        received.push(id);
        // Late for the next one: the failure is there by then.
        await call.status;
      }
    } catch (caught) {
      error = caught;
    }

    expect(error).toMatchObject({ code: status.ABORTED });
    expect(received[0]).toBe('1');
  });

  test('yields all that the client had received when the call failed', async () => {
    const total = 10; // fits into the buffer of the client's stream
    const go = deferred();
    await using served = await serveResponses((call) => {
      for (const message of numbered(total)) {
        call.write(message);
      }
      void go.promise.then(() => fail(call));
    });
    const call = open(served.client, kind);
    await first(call, 'readable');
    await waitUntil(() => call.readableLength === total);
    go.resolve();
    await call.status;

    const { received, error } = await loop(call);

    expect(received).toEqual(ids([...numbered(total)]));
    expect(error).toMatchObject({ code: status.ABORTED });
  });

  test('that starts after the failure throws it, and so does every further loop', async () => {
    await using served = await serveResponses((call) => fail(call));
    const call = open(served.client, kind);
    await call.status;

    const errors = [(await loop(call)).error, (await loop(call)).error, (await loop(call)).error];

    expect(errors[0]).toMatchObject({ code: status.ABORTED });
    expect(new Set(errors).size).toBe(1);
  });

  test.each(['at once', 'after the status'])(
    'that starts %s when another was left early throws: there is no telling what it would have missed',
    async (when) => {
      await using served = await serveResponses((call) => {
        call.write(reply('1'));
        call.write(reply('2'));
      });
      const call = open(served.client, kind);
      for await (const _message of call) {
        break;
      }
      if (when === 'after the status') {
        await call.status;
      }

      expect((await loop(call)).error).toMatchObject({ code: status.CANCELLED });
    },
  );

  test('that starts after the success finds nothing', async () => {
    await using served = await serveResponses((call) => {
      call.write(reply('1'));
      call.end();
    });
    const call = open(served.client, kind);
    expect((await loop(call)).received).toEqual(['1']);

    expect(await loop(call)).toEqual({ received: [] });
  });

  test('of a call that is refused throws', async () => {
    await using served = await serveResponses((call) => void call.end());
    const call = open(served.client, kind, { timeoutMs: 0 });

    expect((await loop(call)).error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('throws when the connection is lost half-way', async () => {
    const served = await serveResponses((call) => void call.write(reply('1')));
    const call = open(served.client, kind);
    let error: unknown;
    try {
      for await (const _message of call) {
        void served.server[Symbol.asyncDispose]();
      }
    } catch (caught) {
      error = caught;
    }

    expect([status.UNAVAILABLE, status.CANCELLED]).toContain((error as { code: number }).code);
    await served[Symbol.asyncDispose]();
  });

  test('passes everything on through a generator', async () => {
    await using served = await serveTwoThenFail();
    async function* relay(call: AsyncIterable<RelayReply>): AsyncGenerator<RelayReply> {
      yield* call;
    }

    const { received, error } = await loop(relay(open(served.client, kind)));

    expect(['1,2', '1', '']).toContain(received.join());
    expect(error).toMatchObject({ code: status.ABORTED });
  });

  test('does not get in the way of another call', async () => {
    await using served = await serveResponses((call) => {
      sendAll(call, numbered(100));
    });

    const loops = await Promise.all(Array.from({ length: 10 }, () => loop(open(served.client, kind))));

    for (const { received } of loops) {
      expect(received).toHaveLength(100);
    }
  });

  test('keeps no listener on the stream when it is over', async () => {
    await using served = await serveResponses((call) => {
      sendAll(call, numbered(3));
    });
    const call = open(served.client, kind);
    const before = call.eventNames().map((name) => [name, call.listenerCount(name)]);

    await loop(call);

    expect(call.eventNames().map((name) => [name, call.listenerCount(name)])).toEqual(before);
  });
});

describe.each(KINDS)('%s: the iterator in hand', (kind) => {
  test('next() calls that wait at once get the messages in order, then the end', async () => {
    const go = deferred();
    await using served = await serveResponses((call) => {
      void go.promise.then(() => {
        call.write(reply('1'));
        call.write(reply('2'));
        call.end();
      });
    });
    const iterator = open(served.client, kind)[Symbol.asyncIterator]();
    const results = Array.from({ length: 5 }, () => iterator.next());
    go.resolve();

    expect(await Promise.all(results)).toEqual([
      { value: reply('1'), done: false },
      { value: reply('2'), done: false },
      { value: undefined, done: true },
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  test('the failure goes to the first next() that waits; the iterator has ended then', async () => {
    const go = deferred();
    await using served = await serveResponses((call) => {
      call.write(reply('1'));
      void go.promise.then(() => fail(call));
    });
    const iterator = open(served.client, kind)[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ value: reply('1'), done: false });
    const results = Array.from({ length: 3 }, () => iterator.next());
    go.resolve();

    const settled = await Promise.allSettled(results);
    expect(settled[0]).toMatchObject({ status: 'rejected', reason: { code: status.ABORTED } });
    expect(settled[1]).toEqual({ status: 'fulfilled', value: { value: undefined, done: true } });
    expect(settled[2]).toEqual({ status: 'fulfilled', value: { value: undefined, done: true } });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  test('return() while a next() waits ends both and cancels the call', async () => {
    const cancelled = deferred();
    const arrived = deferred();
    await using served = await serveResponses((call) => {
      call.on('cancelled', () => cancelled.resolve());
      arrived.resolve();
    });
    const call = open(served.client, kind);
    const iterator = call[Symbol.asyncIterator]();
    const waiting = [iterator.next(), iterator.next()];
    await arrived.promise;

    expect(await iterator.return!()).toEqual({ value: undefined, done: true });

    expect(await Promise.all(waiting)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
    expect((await call.status).code).toBe(status.CANCELLED);
    await cancelled.promise;
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    expect(await iterator.return!()).toEqual({ value: undefined, done: true });
  });

  test('return() before the first next() cancels the call', async () => {
    await using served = await serveResponses((call) => void call.write(REPLY));
    const call = open(served.client, kind);

    await call[Symbol.asyncIterator]().return!();

    expect((await call.status).code).toBe(status.CANCELLED);
  });

  test('return() after the end leaves the status alone', async () => {
    await using served = await serveResponses((call) => void call.end());
    const call = open(served.client, kind);
    const iterator = call[Symbol.asyncIterator]();
    await iterator.next();

    await iterator.return!();

    expect((await call.status).code).toBe(status.OK);
  });

  test('a loop left early may be continued by hand only from the same iterator', async () => {
    await using served = await serveResponses((call) => {
      sendAll(call, numbered(10));
    });
    const iterator = open(served.client, kind)[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { id: '0' } });
    const rest: string[] = [];
    for await (const { id } of iterator) {
      rest.push(id);
    }

    expect(rest).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });
});

describe.each(KINDS)("%s: grpc-js's events", (kind) => {
  test("'metadata', 'data', 'status' and 'end' come as ever", async () => {
    await using served = await serveResponses((call) => {
      sendAll(call, numbered(20));
    });
    const call = open(served.client, kind);
    const events: string[] = [];
    call.on('metadata', () => events.push('metadata'));
    call.on('data', ({ id }: RelayReply) => events.push(id));
    const [ended, over] = [first(call, 'end'), statusOf(call)];

    await ended;

    expect(events).toEqual(['metadata', ...ids([...numbered(20)])]);
    expect((await over).code).toBe(status.OK);
  });

  test("'error' and 'status' of a call that fails, once each", async () => {
    await using served = await serveResponses((call) => fail(call));
    const call = open(served.client, kind);
    const errors: unknown[] = [];
    call.on('error', (error) => errors.push(error));
    call.resume();
    const [ended, over] = [first(call, 'end'), statusOf(call)];

    expect((await over).code).toBe(status.ABORTED);
    await ended;
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: status.ABORTED });
  });

  test('a failure without an error listener is shown to errorMonitor', async () => {
    await using served = await serveResponses((call) => fail(call));
    const call = open(served.client, kind);
    const seen: unknown[] = [];
    call.on(errorMonitor, (error) => seen.push(error));

    await call.status;

    expect(seen).toHaveLength(1);
  });

  test('getPeer() names the server once there is a connection', async () => {
    await using served = await serveResponses((call) => void call.write(REPLY));
    const call = open(served.client, kind);
    await call.headers;

    expect(call.getPeer()).toBe(served.server.address);
    call.cancel();
  });

  test("the stream's own helpers work: toArray(), map()", async () => {
    await using served = await serveResponses((call) => {
      sendAll(call, numbered(3));
    });

    expect(ids((await open(served.client, kind).toArray()) as RelayReply[])).toEqual(['0', '1', '2']);
    expect(
      await open(served.client, kind)
        .map(({ id }: RelayReply) => id)
        .toArray(),
    ).toEqual(['0', '1', '2']);
  });

  test.each(['toArray', 'iterator'])('%s() of a call that has failed does not pass for a success', async (helper) => {
    await using served = await serveResponses((call) => fail(call));
    const call = open(served.client, kind, { timeoutMs: 3_000 });
    await call.status;

    const read = {
      toArray: () => call.toArray(),
      iterator: async () => {
        for await (const _message of call.iterator({ destroyOnReturn: false })) {
        }
      },
    }[helper as 'toArray'];

    await expect(read()).rejects.toMatchObject({ code: status.ABORTED });
  });
});

describe.each(KINDS)('%s: a consumer that is slow', (kind) => {
  test('holds the server back: little is buffered', async () => {
    const total = 2_000;
    let written = 0;
    await using served = await serveResponses((call) => {
      sendAll(
        call,
        (function* () {
          for (; written < total; written++) {
            yield reply(`${written}`, 'x'.repeat(10_000));
          }
        })(),
      );
    });
    const call = open(served.client, kind);
    const iterator = call[Symbol.asyncIterator]();
    await iterator.next();

    await stoodStill(() => written);
    // Two 64 KiB windows, the sockets' and the streams' buffers (16 messages each): far from the 20 MB there are.
    expect(written).toBeLessThan(total / 4);
    expect(call.readableLength).toBeLessThanOrEqual(call.readableHighWaterMark);

    let received = 1;
    for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
      received++;
    }
    expect(received).toBe(total);
  });
});

describe('bidi', () => {
  test('messages go back and forth', async () => {
    await using served = await serve({
      bidi: (call) => {
        call.on('data', ({ id }: RelayRequest) => call.write(reply(`re ${id}`)));
        call.on('end', () => call.end());
      },
    });
    const call = served.client.bidi();
    const conversation: string[] = [];
    call.write(request(0));
    for await (const { id } of call) {
      conversation.push(id);
      if (conversation.length < 50) {
        call.write(request(conversation.length));
      } else {
        call.end();
      }
    }

    expect(conversation).toEqual(Array.from({ length: 50 }, (_, index) => `re ${index}`));
    expect((await call.status).code).toBe(status.OK);
  });

  test('an iterable of requests may depend on the responses', async () => {
    await using served = await serve({
      bidi: (call) => {
        call.on('data', ({ id }: RelayRequest) => call.write(reply(`re ${id}`)));
        call.on('end', () => call.end());
      },
    });
    let answered = deferred();
    async function* requests(): AsyncGenerator<RelayRequest> {
      for (let index = 0; index < 20; index++) {
        yield request(index);
        await answered.promise;
        answered = deferred();
      }
    }
    const received: string[] = [];
    for await (const { id } of served.client.bidi(requests())) {
      received.push(id);
      answered.resolve();
    }

    expect(received).toEqual(Array.from({ length: 20 }, (_, index) => `re ${index}`));
  });

  test('an iterable that throws cancels the call; the loop throws with it as the cause', async () => {
    await using served = await serve({ bidi: (call) => void call.resume() });
    const reason = new Error('the file is gone');
    async function* requests(): AsyncGenerator<RelayRequest> {
      yield REQUEST;
      throw reason;
    }
    const call = served.client.bidi(requests());

    expect((await loop(call)).error).toMatchObject({ code: status.CANCELLED, cause: reason });
    expect((await call.status).code).toBe(status.CANCELLED);
  });

  test.each(['ends', 'fails', 'is left'])('when the call %s early, the iterable returns', async (how) => {
    await using served = await serve({
      bidi: (call) => {
        call.once('data', () => {
          call.write(REPLY);
          if (how === 'ends') {
            call.end();
          } else if (how === 'fails') {
            call.emit('error', { code: status.ABORTED, details: 'no' });
          }
        });
      },
    });
    const returned = deferred();
    async function* requests(): AsyncGenerator<RelayRequest> {
      try {
        for (;;) {
          yield REQUEST;
          await new Promise(setImmediate);
        }
      } finally {
        returned.resolve();
      }
    }
    const call = served.client.bidi(requests());
    try {
      for await (const _message of call) {
        if (how === 'is left') {
          break;
        }
      }
    } catch {}

    await returned.promise;
    expect((await call.status).code).toBe({ ends: 0, fails: status.ABORTED, 'is left': status.CANCELLED }[how]);
  });

  test('a server that has answered all and left does not fail a client that still writes', async () => {
    await using served = await serve({
      bidi: (call) => {
        call.write(REPLY);
        call.end();
      },
    });
    const call = served.client.bidi();
    expect(await messagesOf(call as StartedCall)).toEqual([REPLY]);
    expect((await call.status).code).toBe(status.OK);

    call.write(REQUEST);
    call.write(REQUEST);
    call.end();

    await new Promise(setImmediate);
    expect((await call.status).code).toBe(status.OK);
    expect(await loop(call)).toEqual({ received: [] });
  });

  test('a write() after end() cancels the call for that reason, and crashes nothing', async () => {
    await using served = await serve({ bidi: (call) => void call.resume() });
    const call = served.client.bidi();
    call.end();

    call.write(REQUEST);

    expect(await call.status).toMatchObject({
      code: status.CANCELLED,
      cause: { code: 'ERR_STREAM_WRITE_AFTER_END' },
    });
  });

  test('the write() callback comes, and write() says when to wait', async () => {
    const arrived = deferred<ServerDuplexStream<RelayRequest, RelayReply>>();
    await using served = await serve({
      bidi: (call) => {
        call.pause();
        arrived.resolve(call);
      },
    });
    const call = served.client.bidi();
    await new Promise((resolve) => call.write(REQUEST, resolve));
    let writes = 0;
    while (call.write({ ...REQUEST, script: 'x'.repeat(100_000) }) && writes < 1_000) {
      writes++;
    }

    expect(writes).toBeLessThan(100);
    const drained = first(call, 'drain');
    (await arrived.promise).resume();
    await drained;
    call.cancel();
  });

  test('is a stream on both sides: pipe() in and out', async () => {
    await using served = await serve({
      bidi: (call) => {
        call.on('data', ({ id }: RelayRequest) => call.write(reply(id)));
        call.on('end', () => call.end());
      },
    });
    const call = served.client.bidi();
    sendAll(call, [request(1), request(2), request(3)]);

    expect(ids(await messagesOf(call as StartedCall))).toEqual(['1', '2', '3']);
  });

  test.each([
    ['(undefined, options)', (client: GrpcClient<LeafClient>, o: GrpcCallOptions) => client.bidi(undefined, o)],
    ['(options)', (client: GrpcClient<LeafClient>, o: GrpcCallOptions) => client.bidi(o)],
  ])('%s writes by hand', async (_form, begin) => {
    await using served = await serve({
      bidi: (call) => {
        call.on('data', () => {});
        call.on('end', () => {
          call.write(reply(String(call.metadata.get('x-own')[0])));
          call.end();
        });
      },
    });
    const call = begin(served.client, { metadata: { 'x-own': 'mine' } });
    call.end();

    expect(ids(await messagesOf(call as StartedCall))).toEqual(['mine']);
  });

  test.each([null, undefined, { path: 5 }])(
    'a request that is %p ends the call, and the generator returns',
    async (broken) => {
      await using served = await serve({ bidi: (call) => void call.resume() });
      const returned = deferred();
      function* requests(): Generator<never> {
        try {
          for (;;) {
            yield broken as never;
          }
        } finally {
          returned.resolve();
        }
      }
      const call = served.client.bidi(requests());

      const error = await errorOf(call as StartedCall);
      expect([status.CANCELLED, status.INTERNAL]).toContain(error.code);
      await returned.promise;
    },
  );
});

/** Writes no faster than the call takes it, and ends it. */
function sendAll(call: object, messages: Iterable<unknown>): void {
  Readable.from(messages, { highWaterMark: 1 }).pipe(call as Writable);
}

function* numbered(count: number): Generator<RelayReply> {
  for (let index = 0; index < count; index++) {
    yield reply(`${index}`);
  }
}

function request(index: number): RelayRequest {
  return { ...REQUEST, id: `${index}` };
}

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(setImmediate);
  }
}
