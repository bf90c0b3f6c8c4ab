import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify, types } from 'node:util';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { currentCallContext, type ServerStreamingCall, type UnaryCall } from '@grpc-di/client-factory';
import type { RelayReply } from '@grpc-di/test-rig';
import { failedCall, fakeCallContext, streamingCall, unaryCall } from '@grpc-di/testing';
import { afterEach, describe, expect, jest, test } from '@jest/globals';

const REPLY: RelayReply = { id: '1', text: 'hello', deadline: 0 };
const never = new Promise<RelayReply>(() => {});

afterEach(() => {
  jest.useRealTimers();
});

async function errorOf(call: PromiseLike<unknown>): Promise<ServiceError & { cause?: unknown }> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('the call succeeded');
}

async function read<R>(call: AsyncIterable<R>): Promise<R[]> {
  const messages: R[] = [];
  for await (const message of call) {
    messages.push(message);
  }
  return messages;
}

describe('unaryCall', () => {
  test.each([
    ['a response', () => REPLY],
    ['a promise of one', () => turnOfEventLoop(REPLY)],
    ['a falsy one', () => 0 as never],
  ])('resolves with %s', async (_, response) => {
    const call: UnaryCall<RelayReply> = unaryCall(response());

    expect(call).toBeInstanceOf(Promise);
    expect(await call).toEqual(await response());
    expect(await call.then((reply) => [reply])).toEqual([await response()]);
  });

  test('has headers, trailers and a status like a call that a server answered', async () => {
    const call = unaryCall(REPLY);

    expect(await call.headers).toBeInstanceOf(Metadata);
    expect(await call.trailers).toBeInstanceOf(Metadata);
    expect(await call.status).toEqual({ code: status.OK, details: 'OK', metadata: expect.any(Metadata) });
    expect(await call).toBe(REPLY);
  });

  test('goes on until its promise settles', async () => {
    let answer!: (reply: RelayReply) => void;
    const call = unaryCall(
      new Promise<RelayReply>((resolve) => {
        answer = resolve;
      }),
    );
    let isOver = false;
    void call.status.then(() => {
      isOver = true;
    });
    await turnOfEventLoop();
    expect(isOver).toBe(false);

    answer(REPLY);

    expect(await call).toBe(REPLY);
  });

  test('fails with the status of the ServiceError that its promise rejects with', async () => {
    const metadata = new Metadata();
    metadata.set('x-reason', 'quota');
    const cause = new Error('underneath');
    const reason = Object.assign(new Error(), { code: status.RESOURCE_EXHAUSTED, details: 'no more', metadata, cause });
    const call = unaryCall<RelayReply>(Promise.reject(reason));

    const error = await errorOf(call);

    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, message: '8 RESOURCE_EXHAUSTED: no more', cause });
    expect((await call.trailers).get('x-reason')).toEqual(['quota']);
    expect(error.metadata.get('x-reason')).toEqual(['quota']);
  });

  test.each([
    ['an error', new RangeError('not a status'), 'not a status'],
    ['a system error', Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' }), 'connect failed'],
    ['a string', 'text', "'text'"],
    ['nothing', undefined, 'undefined'],
    ['OK', { code: status.OK, details: 'fine' }, 'fine'],
    ['no status', { code: 99, details: 'strange' }, 'strange'],
  ])('fails with UNKNOWN where its promise rejects with %s', async (_, reason, details) => {
    const error = await errorOf(unaryCall(Promise.reject(reason as Error)));

    expect(error).toMatchObject({ code: status.UNKNOWN, details });
    expect(error.cause).toBe(reason);
    expect(error.metadata).toBeInstanceOf(Metadata);
  });

  test('cancelled before its response it rejects with CANCELLED, and the reason as cause', async () => {
    const reason = new Error('enough');
    const call = unaryCall(never);
    const { headers, trailers } = call;

    call.cancel(reason);

    const error = await errorOf(call);
    expect(error).toMatchObject({ code: status.CANCELLED, message: '1 CANCELLED: Cancelled on client' });
    expect(error.cause).toBe(reason);
    expect(await call.status).toMatchObject({ code: status.CANCELLED, details: 'Cancelled on client' });
    expect(await trailers).toBeInstanceOf(Metadata);
    await expect(headers).rejects.toBe(error);
  });

  test('cancelled in the tick in which it was made, it does not succeed any more', async () => {
    const call = unaryCall(REPLY);
    call.cancel();

    expect((await errorOf(call)).code).toBe(status.CANCELLED);
  });

  test('cancelled after its response it stays a success', async () => {
    const call = unaryCall(REPLY);
    await call;

    call.cancel();

    expect(await call).toBe(REPLY);
    expect((await call.status).code).toBe(status.OK);
  });

  test('leaving its block cancels it', async () => {
    let left: UnaryCall<RelayReply>;
    {
      using call = unaryCall(never);
      left = call;
    }

    expect((await errorOf(left)).code).toBe(status.CANCELLED);
  });

  test('needs a response', async () => {
    expect(() => unaryCall(undefined)).toThrow(
      new TypeError(
        'unaryCall(response): a unary call has a response, {} where the message has no fields, not undefined',
      ),
    );
    expect(() => unaryCall(null)).toThrow(TypeError);
    expect(await errorOf(unaryCall(Promise.resolve(undefined)))).toMatchObject({
      code: status.UNKNOWN,
      details: 'The mocked call was to respond with undefined, which is no message',
    });
  });
});

describe('failedCall', () => {
  test("rejects with grpc-js's ServiceError", async () => {
    const error = await errorOf(failedCall(status.NOT_FOUND, 'no user 7'));

    expect(types.isNativeError(error)).toBe(true);
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.details).toBe('no user 7');
    expect(error.message).toBe('5 NOT_FOUND: no user 7');
    expect(error.metadata).toBeInstanceOf(Metadata);
    expect(error.cause).toBeUndefined();
    expect(error.stack).toContain('mocked-calls.test');
  });

  test('has empty details where it was given none', async () => {
    expect((await errorOf(failedCall(status.ABORTED))).details).toBe('');
  });

  test('is a DEADLINE_EXCEEDED or a CANCELLED like any other', async () => {
    expect(await errorOf(failedCall(status.DEADLINE_EXCEEDED, 'slow'))).toMatchObject({ code: 4, details: 'slow' });
    expect(await errorOf(failedCall(status.CANCELLED, 'gone'))).toMatchObject({ code: 1, details: 'gone' });
  });

  test('has a status and trailers, and no headers', async () => {
    const call = failedCall(status.NOT_FOUND, 'no user 7');

    expect(await call.status).toMatchObject({ code: status.NOT_FOUND, details: 'no user 7' });
    expect(await call.trailers).toBeInstanceOf(Metadata);
    await expect(call.headers).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test('is assignable where a response is expected', async () => {
    const call: UnaryCall<RelayReply> = failedCall(status.NOT_FOUND);

    await expect(call).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test.each([status.OK, 17, -1, '5', undefined, Number.NaN])('does not take %p for a code', (code) => {
    expect(() => failedCall(code as status)).toThrow(
      /code must be a status of @grpc\/grpc-js other than OK, such as status.NOT_FOUND/,
    );
  });

  test('does not take an object for details', () => {
    expect(() => failedCall(status.NOT_FOUND, {} as string)).toThrow(/details must be a string, not {}/);
  });
});

describe('streamingCall', () => {
  const messages = Array.from({ length: 100 }, (_, id) => ({ ...REPLY, id: `${id}` }));

  async function* generated(): AsyncGenerator<RelayReply> {
    for (const message of messages) {
      await turnOfEventLoop();
      yield message;
    }
  }

  test.each([
    ['an array', () => messages],
    ['an async generator', generated],
    ['a set', () => new Set(messages)],
  ])('streams %s', async (_, responses) => {
    const call: ServerStreamingCall<RelayReply> = streamingCall(responses());

    expect(await read(call)).toEqual(messages);
    expect(await call.headers).toBeInstanceOf(Metadata);
    expect(await call.trailers).toBeInstanceOf(Metadata);
    expect(await call.status).toMatchObject({ code: status.OK, details: 'OK' });
  });

  test("is grpc-js's call object too: events, getPeer, flow control", async () => {
    const call = streamingCall(messages);
    const read: RelayReply[] = [];
    const events: string[] = [];
    call
      .on('metadata', () => events.push('metadata'))
      .on('data', (message: RelayReply) => read.push(message))
      .on('end', () => events.push('end'))
      .on('status', () => events.push('status'));

    await call.status;
    await turnOfEventLoop();

    expect(read).toEqual(messages);
    expect(events.toSorted()).toEqual(['end', 'metadata', 'status']);
    expect(call.getPeer()).toBe('unknown');
  });

  test('an empty one is a success without headers of its own', async () => {
    const call = streamingCall<RelayReply>([]);

    expect(await read(call)).toEqual([]);
    expect((await call.headers).getMap()).toEqual({});
  });

  test('headers come before anybody reads, the status once all was read', async () => {
    const call = streamingCall(messages);
    let isOver = false;
    void call.status.then(() => {
      isOver = true;
    });

    await call.headers;
    await turnOfEventLoop();
    expect(isOver).toBe(false);

    await read(call);
    expect((await call.status).code).toBe(status.OK);
  });

  test('takes from its iterable as messages are read, and no more', async () => {
    let taken = 0;
    function* endless(): Generator<RelayReply> {
      for (;;) {
        taken++;
        yield REPLY;
      }
    }
    using call = streamingCall(endless());
    const messages = call[Symbol.asyncIterator]();

    await messages.next();
    await turnOfEventLoop();

    expect(taken).toBeLessThan(30);
  });

  test('leaving its loop early cancels it, and the iterable is asked to return', async () => {
    let isStopped = false;
    const call = streamingCall(
      (async function* () {
        try {
          yield* generated();
        } finally {
          isStopped = true;
        }
      })(),
    );

    for await (const message of call) {
      expect(message).toEqual(messages[0]);
      break;
    }

    expect((await call.status).code).toBe(status.CANCELLED);
    await turnOfEventLoop();
    expect(isStopped).toBe(true);
  });

  test('cancelled in its loop it throws CANCELLED, with the reason as cause', async () => {
    const call = streamingCall(generated());
    const read: RelayReply[] = [];

    const error = await errorOf(
      (async () => {
        for await (const message of call) {
          read.push(message);
          if (read.length === 3) {
            call.cancel('enough');
          }
        }
      })(),
    );

    expect(error).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    expect(read.length).toBeLessThan(messages.length);
  });

  test('does not end within the turn in which it is cancelled: no listener runs inside cancel()', async () => {
    const call = streamingCall(generated());
    let isOver = false;
    call.on('status', () => {
      isOver = true;
    });

    call.cancel();

    expect(isOver).toBe(false);
    await call.status;
    expect(isOver).toBe(true);
  });

  test('cancelled before it is read it has no more messages, also none that was ready', async () => {
    const call = streamingCall(messages);
    const errors: unknown[] = [];
    call.on('error', (error) => errors.push(error));
    await call.headers;

    call.cancel('enough');

    expect(await errorOf(read(call))).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    await turnOfEventLoop();
    expect(errors).toEqual([expect.objectContaining({ code: status.CANCELLED })]);
  });

  test('cancelled again and again its iterable is asked to return once', async () => {
    const stop = jest.fn(async () => ({ done: true as const, value: undefined }));
    const responses = { next: () => new Promise<IteratorResult<RelayReply>>(() => {}), return: stop };
    const call = streamingCall({ [Symbol.asyncIterator]: () => responses });

    call.cancel();
    call.cancel();
    await call.status;
    call.cancel();
    call.destroy();
    await turnOfEventLoop();

    expect(stop).toHaveBeenCalledTimes(1);
  });

  test('cancelled before anybody reads it has a status, and no headers', async () => {
    const call = streamingCall(
      (async function* (): AsyncGenerator<RelayReply> {
        yield await never;
      })(),
    );
    const { headers } = call;

    await call[Symbol.asyncDispose]();

    expect((await call.status).code).toBe(status.CANCELLED);
    await expect(headers).rejects.toMatchObject({ code: status.CANCELLED });
  });

  test('fails with the status of what its iterable throws, after its messages', async () => {
    const call = streamingCall(
      (async function* () {
        yield REPLY;
        await failedCall(status.UNAVAILABLE, 'gone');
      })(),
    );
    const read: RelayReply[] = [];

    const error = await errorOf(
      (async () => {
        for await (const message of call) {
          read.push(message);
        }
      })(),
    );

    expect(read).toEqual([REPLY]);
    expect(error).toMatchObject({ code: status.UNAVAILABLE, message: '14 UNAVAILABLE: gone' });
    expect(error.metadata).toBeInstanceOf(Metadata);
    expect(await call.headers).toBeInstanceOf(Metadata);
    expect(await call.status).toMatchObject({ code: status.UNAVAILABLE, details: 'gone' });
  });

  test('failed before its first message it has a status without being read, and no headers', async () => {
    const call = streamingCall(failing());

    expect(await call.status).toMatchObject({ code: status.UNKNOWN, details: 'broken' });
    await expect(call.headers).rejects.toMatchObject({ code: status.UNKNOWN });
  });

  test('a loop that starts after the failure throws it', async () => {
    const call = streamingCall(failing());
    await call.status;

    expect(await errorOf(read(call))).toMatchObject({ code: status.UNKNOWN, details: 'broken' });
  });

  test('an iterable that cannot be asked fails it too', async () => {
    const broken = {
      [Symbol.iterator](): Iterator<RelayReply> {
        throw new Error('no iterator');
      },
    };

    expect(await errorOf(read(streamingCall(broken)))).toMatchObject({ code: status.UNKNOWN, details: 'no iterator' });
  });

  test('a message that is none fails it', async () => {
    let isStopped = false;
    const call = streamingCall(
      (function* () {
        try {
          yield REPLY;
          yield null;
        } finally {
          isStopped = true;
        }
      })(),
    );

    expect(await errorOf(read(call))).toMatchObject({
      code: status.UNKNOWN,
      details: 'The mocked call was to respond with null, which is no message',
    });
    expect(isStopped).toBe(true);
  });

  test.each([undefined, null, 7, 'text', {}])('does not take %p for an iterable', (responses) => {
    expect(() => streamingCall(responses as never)).toThrow(
      /responses must be an iterable of messages, such as an array or an async generator/,
    );
  });

  async function* failing(): AsyncGenerator<RelayReply> {
    await Promise.resolve();
    if (messages.length > 0) {
      throw new Error('broken');
    }
    yield REPLY;
  }
});

test('of all failures only the call that nobody looked at is an unhandled rejection', async () => {
  const fixture = fileURLToPath(new URL('./fixtures/unhandled-rejections.js', import.meta.url));

  const { stdout } = await promisify(execFile)(process.execPath, [fixture]);

  expect(JSON.parse(stdout)).toEqual(['nobody looked']);
});

test('mocked calls need no timers: fake ones do not stop them', async () => {
  jest.useFakeTimers();

  expect(await unaryCall(Promise.resolve(REPLY))).toBe(REPLY);
  expect((await errorOf(failedCall(status.NOT_FOUND))).code).toBe(status.NOT_FOUND);
  expect(await read(streamingCall([REPLY, REPLY]))).toEqual([REPLY, REPLY]);
  const cancelled = unaryCall(never);
  cancelled.cancel();
  expect((await errorOf(cancelled)).code).toBe(status.CANCELLED);
});

test('callbacks of a mocked call run in the context of whoever made it, its responses in none', async () => {
  const context = fakeCallContext();
  const inResponses: unknown[] = [];
  const inListener = await context.run(
    () =>
      new Promise((resolve) => {
        const call = streamingCall(
          (function* () {
            inResponses.push(currentCallContext());
            yield REPLY;
          })(),
        );
        call.on('data', () => resolve(currentCallContext()));
      }),
  );

  expect(inListener).toBe(context);
  expect(inResponses).toEqual([undefined]);
});
