import 'reflect-metadata';
import {
  InterceptingCall,
  type Interceptor,
  type ServerReadableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { RelayReply, RelayRequest } from '@grpc-di/test-rig';
import { afterAll, describe, expect, test } from '@jest/globals';
import { closeAll, deferred, first, REPLY, REQUEST, request, serve, stoodStill } from './served-calls.js';

type Handler = (call: ServerReadableStream<RelayRequest, RelayReply>, respond: sendUnaryData<RelayReply>) => void;

afterAll(closeAll);

function serveStream(clientStream: Handler): ReturnType<typeof serve> {
  return serve({ clientStream });
}

/** Answers with the ids of all requests, once they have ended. */
const collect: Handler = (call, respond) => {
  const ids: string[] = [];
  call.on('data', ({ id }: RelayRequest) => ids.push(id));
  call.on('end', () => respond(null, { ...REPLY, text: ids.join() }));
};

const IDS = Array.from({ length: 200 }, (_, index) => `${index}`);

describe('requests from an iterable arrive in order and end the stream', () => {
  function* generator(): Generator<RelayRequest> {
    for (const id of IDS) {
      yield request(id);
    }
  }
  async function* asyncGenerator(): AsyncGenerator<RelayRequest> {
    for (const id of IDS) {
      await Promise.resolve();
      yield request(id);
    }
  }
  const customAsync: AsyncIterable<RelayRequest> = {
    [Symbol.asyncIterator]() {
      const ids = [...IDS];
      return {
        // A bare iterator has neither return() nor throw().
        next: async () => {
          const id = ids.shift();
          return id === undefined ? { done: true, value: undefined } : { done: false, value: request(id) };
        },
      };
    },
  };

  test.each<[string, () => Iterable<RelayRequest> | AsyncIterable<RelayRequest>]>([
    ['an array', () => IDS.map((id) => request(id))],
    ['a Set', () => new Set(IDS.map((id) => request(id)))],
    ['a generator', generator],
    ['an async generator', asyncGenerator],
    ['an async iterable without return()', () => customAsync],
    ['a ReadableStream', () => ReadableStream.from(IDS.map((id) => request(id))) as never],
  ])('%s', async (_name, requests) => {
    await using served = await serveStream(collect);

    expect((await served.client.clientStream(requests())).text).toBe(IDS.join());
  });

  test('an empty one', async () => {
    await using served = await serveStream(collect);

    expect((await served.client.clientStream([])).text).toBe('');
  });
});

describe('an iterable that throws', () => {
  test.each<[string, (reason: Error) => Iterable<RelayRequest> | AsyncIterable<RelayRequest>]>([
    [
      'from a generator',
      function* requests(reason) {
        yield REQUEST;
        throw reason;
      },
    ],
    [
      'from an async generator',
      async function* requests(reason) {
        yield REQUEST;
        await Promise.resolve();
        throw reason;
      },
    ],
    [
      'before the first request',
      // oxlint-disable-next-line require-yield
      async function* requests(reason) {
        throw reason;
      },
    ],
    ['from next()', (reason) => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(reason) }) })],
    [
      'synchronously from next()',
      (reason) => ({
        [Symbol.iterator]: () => ({
          next: () => {
            throw reason;
          },
        }),
      }),
    ],
    [
      'from Symbol.asyncIterator',
      (reason) => ({
        [Symbol.asyncIterator]: () => {
          throw reason;
        },
      }),
    ],
  ])('%s cancels the call; what it threw is the cause', async (_name, requests) => {
    const arrived = deferred<ServerReadableStream<RelayRequest, RelayReply>>();
    await using served = await serveStream((call) => {
      call.resume();
      arrived.resolve(call);
    });
    const reason = new Error('the file is gone');

    const call = served.client.clientStream(requests(reason));

    await expect(call).rejects.toMatchObject({ code: status.CANCELLED, cause: reason });
    expect((await call.status).code).toBe(status.CANCELLED);
  });

  test('cancels at the server, too', async () => {
    const cancelled = deferred();
    await using served = await serveStream((call) => {
      call.on('cancelled', () => cancelled.resolve());
      call.once('data', () => proceed.resolve());
    });
    const proceed = deferred();
    async function* requests(): AsyncGenerator<RelayRequest> {
      yield REQUEST;
      await proceed.promise;
      throw new Error('the file is gone');
    }

    await expect(served.client.clientStream(requests())).rejects.toMatchObject({ code: status.CANCELLED });
    await cancelled.promise;
  });

  test('may throw anything', async () => {
    await using served = await serveStream(collect);
    const requests: Iterable<RelayRequest> = {
      [Symbol.iterator]: () => ({
        next: () => {
          throw 'a string' as unknown;
        },
      }),
    };

    await expect(served.client.clientStream(requests)).rejects.toMatchObject({
      code: status.CANCELLED,
      cause: 'a string',
    });
  });

  test('after the call has ended concerns nobody', async () => {
    const answered = deferred();
    await using served = await serveStream((_call, respond) => respond(null, REPLY));
    async function* requests(): AsyncGenerator<RelayRequest> {
      yield REQUEST;
      await answered.promise;
      throw new Error('too late');
    }
    const call = served.client.clientStream(requests());

    expect(await call).toEqual(REPLY);
    answered.resolve();
    await new Promise(setImmediate);
    expect((await call.status).code).toBe(status.OK);
  });
});

describe('when the call ends before the requests do', () => {
  /** Endless requests, and what happens to them. */
  function watched(): {
    requests: AsyncIterable<RelayRequest>;
    returned: Promise<void>;
    returns: () => number;
  } {
    const returned = deferred();
    let returns = 0;
    const iterator: AsyncIterator<RelayRequest> = {
      next: async () => {
        await new Promise(setImmediate);
        return { done: false, value: REQUEST };
      },
      return: async () => {
        returns++;
        returned.resolve();
        return { done: true, value: undefined };
      },
    };
    return {
      requests: { [Symbol.asyncIterator]: () => iterator },
      returned: returned.promise,
      returns: () => returns,
    };
  }

  const ENDINGS: Record<string, { handler: Handler; options?: object; code: status }> = {
    'the server answers': {
      handler: (call, respond) => {
        call.once('data', () => respond(null, REPLY));
      },
      code: status.OK,
    },
    'the server fails': {
      handler: (call, respond) => {
        call.once('data', () => respond({ code: status.ABORTED, details: 'no' }));
      },
      code: status.ABORTED,
    },
    'its deadline passes': { handler: (call) => void call.resume(), options: { timeoutMs: 150 }, code: 4 },
    'it is refused': { handler: () => {}, options: { timeoutMs: 0 }, code: 4 },
  };

  test.each(Object.entries(ENDINGS))('because %s, the iterable returns, once', async (_name, ending) => {
    await using served = await serveStream(ending.handler);
    const { requests, returned, returns } = watched();
    const call = served.client.clientStream(requests, ending.options);

    expect((await call.status).code).toBe(ending.code);
    await returned;
    // A second return() would come with the requests that are still under way.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(returns()).toBe(1);
  });

  test('because it is cancelled, the iterable returns, once', async () => {
    const received = deferred();
    await using served = await serveStream((call) => {
      call.once('data', () => received.resolve());
    });
    const { requests, returned, returns } = watched();
    const call = served.client.clientStream(requests);
    await received.promise;

    call.cancel();

    expect((await call.status).code).toBe(status.CANCELLED);
    await returned;
    await new Promise(setImmediate);
    expect(returns()).toBe(1);
  });

  test('while the iterable waits for the transport, it returns', async () => {
    const arrived = deferred<sendUnaryData<RelayReply>>();
    await using served = await serveStream((call, respond) => {
      call.pause();
      arrived.resolve(respond);
    });
    const returned = deferred();
    let pulled = 0;
    const big = request('big', 'x'.repeat(100_000));
    function* requests(): Generator<RelayRequest> {
      try {
        for (;;) {
          pulled++;
          yield big;
        }
      } finally {
        returned.resolve();
      }
    }
    const call = served.client.clientStream(requests());
    const respond = await arrived.promise;
    await stoodStill(() => pulled);

    respond({ code: status.ABORTED, details: 'no' });

    await expect(call).rejects.toMatchObject({ code: status.ABORTED });
    await returned.promise;
  });

  test("a generator's finally runs once its pending next() has settled", async () => {
    await using served = await serveStream((call, respond) => {
      call.once('data', () => respond(null, REPLY));
    });
    const more = deferred();
    const events: string[] = [];
    const finished = deferred();
    async function* requests(): AsyncGenerator<RelayRequest> {
      try {
        yield REQUEST;
        await more.promise;
        events.push('resumed');
        yield REQUEST;
        events.push('was pulled once more');
      } finally {
        events.push('finally');
        finished.resolve();
      }
    }
    const call = served.client.clientStream(requests());
    expect(await call).toEqual(REPLY);
    expect(events).toEqual([]);

    more.resolve();

    await finished.promise;
    expect(events).toEqual(['resumed', 'finally']);
  });

  test('an iterator that waits in next() is asked to return at once', async () => {
    await using served = await serveStream((_call, respond) => respond({ code: status.ABORTED, details: 'no' }));
    const returned = deferred();
    const requests: AsyncIterable<RelayRequest> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          returned.resolve();
          return { done: true, value: undefined };
        },
      }),
    };

    await expect(served.client.clientStream(requests)).rejects.toMatchObject({ code: status.ABORTED });
    await returned.promise;
  });

  test.each(['throws', 'rejects'])('a return() that %s concerns nobody', async (how) => {
    await using served = await serveStream((_call, respond) => respond({ code: status.ABORTED, details: 'no' }));
    const returned = deferred();
    const requests: AsyncIterable<RelayRequest> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          returned.resolve();
          if (how === 'throws') {
            throw new Error('cannot');
          }
          return Promise.reject(new Error('cannot'));
        },
      }),
    };

    await expect(served.client.clientStream(requests)).rejects.toMatchObject({ code: status.ABORTED });
    await returned.promise;
  });

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['a message that cannot be serialized', { path: 5 }],
  ])('because a request is %s, the generator returns', async (_name, broken) => {
    await using served = await serveStream(collect);
    const returned = deferred();
    function* requests(): Generator<never> {
      try {
        yield REQUEST as never;
        for (;;) {
          yield broken as never;
        }
      } finally {
        returned.resolve();
      }
    }

    const call = served.client.clientStream(requests());

    await expect(call).rejects.toMatchObject({
      code: broken === null || broken === undefined ? status.CANCELLED : status.INTERNAL,
    });
    await returned.promise;
  });

  test('because its iterable threw, that is not asked to return: it is over', async () => {
    await using served = await serveStream(collect);
    let returns = 0;
    const requests: AsyncIterable<RelayRequest> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('the file is gone')),
        return: async () => {
          returns++;
          return { done: true, value: undefined };
        },
      }),
    };
    const call = served.client.clientStream(requests);

    expect((await call.status).code).toBe(status.CANCELLED);
    await new Promise(setImmediate);
    expect(returns).toBe(0);
  });

  test('an iterable that was read to its end is not asked to return', async () => {
    await using served = await serveStream(collect);
    let returns = 0;
    const ids = ['1', '2'];
    const requests: Iterable<RelayRequest> = {
      [Symbol.iterator]: () => ({
        next: () => {
          const id = ids.shift();
          return id === undefined ? { done: true, value: undefined } : { done: false, value: request(id) };
        },
        return: () => {
          returns++;
          return { done: true, value: undefined };
        },
      }),
    };

    expect((await served.client.clientStream(requests)).text).toBe('1,2');
    await new Promise(setImmediate);
    expect(returns).toBe(0);
  });
});

test('a fast iterable is not pulled far ahead of a slow server', async () => {
  const arrived = deferred<ServerReadableStream<RelayRequest, RelayReply>>();
  await using served = await serveStream((call, respond) => {
    call.pause();
    call.on('end', () => respond(null, REPLY));
    arrived.resolve(call);
  });
  const message = request('big', 'x'.repeat(10_000));
  const total = 2_000;
  let pulled = 0;
  function* requests(): Generator<RelayRequest> {
    for (let sent = 0; sent < total; sent++) {
      pulled++;
      yield message;
    }
  }
  const call = served.client.clientStream(requests());
  const serverCall = await arrived.promise;

  await stoodStill(() => pulled);
  // 1 MiB that grpc-js keeps for retries, two 64 KiB windows and the sockets' buffers: far from the 20 MB there are.
  expect(pulled).toBeLessThan(total / 4);

  serverCall.resume();
  expect(await call).toEqual(REPLY);
  expect(pulled).toBe(total);
});

describe('requests by hand', () => {
  test('send() and end() of a call without requests', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream();

    await call.requests.send(request('1'));
    await call.requests.send(request('2'));
    call.requests.end();

    expect((await call).text).toBe('1,2');
  });

  test('(undefined, options) is the same with options', async () => {
    await using served = await serveStream((call, respond) => {
      call.resume();
      respond(null, { ...REPLY, text: String(call.metadata.get('x-own')[0]) });
    });
    const call = served.client.clientStream(undefined, { metadata: { 'x-own': 'mine' } });
    call.requests.end();

    expect((await call).text).toBe('mine');
  });

  test('send() without waiting keeps the order', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream();

    const sent = IDS.map((id) => call.requests.send(request(id)));
    call.requests.end();

    await Promise.all(sent);
    expect((await call).text).toBe(IDS.join());
  });

  test('send() resolves only when the transport takes more', async () => {
    const arrived = deferred<ServerReadableStream<RelayRequest, RelayReply>>();
    await using served = await serveStream((call, respond) => {
      call.pause();
      call.on('end', () => respond(null, REPLY));
      arrived.resolve(call);
    });
    const message = request('big', 'x'.repeat(100_000));
    const call = served.client.clientStream();
    let sent = 0;
    const sending = (async () => {
      for (; sent < 200; sent++) {
        await call.requests.send(message);
      }
      call.requests.end();
    })();
    const serverCall = await arrived.promise;

    await stoodStill(() => sent);
    expect(sent).toBeLessThan(100);

    serverCall.resume();
    await sending;
    expect(await call).toEqual(REPLY);
  });

  test.each(['answered', 'failed', 'cancelled'])('send() rejects after the call was %s', async (ending) => {
    await using served = await serveStream((call, respond) => {
      call.resume();
      if (ending === 'answered') {
        respond(null, REPLY);
      } else if (ending === 'failed') {
        respond({ code: status.ABORTED, details: 'no' });
      }
    });
    const call = served.client.clientStream();
    if (ending === 'cancelled') {
      call.cancel('enough');
    }
    const { code } = await call.status;

    const sent = call.requests.send(REQUEST);

    if (ending === 'answered') {
      await expect(sent).rejects.toThrow('The call has ended: the server answered before this request was sent');
    } else {
      const error: unknown = await call.then(
        () => undefined,
        (failure: unknown) => failure,
      );
      await expect(sent).rejects.toBe(error);
      expect(code).toBe(ending === 'failed' ? status.ABORTED : status.CANCELLED);
    }
    await expect(call.requests.send(REQUEST)).rejects.toBeInstanceOf(Error);
    call.requests.end();
  });

  test.each(['fails', 'is cancelled'])(
    'a send() that waits for the transport rejects when the call %s',
    async (how) => {
      const arrived = deferred<sendUnaryData<RelayReply>>();
      await using served = await serveStream((call, respond) => {
        call.pause();
        arrived.resolve(respond);
      });
      const message = request('big', 'x'.repeat(100_000));
      const call = served.client.clientStream();
      const sent = Array.from({ length: 100 }, () => call.requests.send(message));
      let resolved = 0;
      for (const each of sent) {
        each.then(
          () => resolved++,
          () => {},
        );
      }
      const respond = await arrived.promise;
      await stoodStill(() => resolved);
      expect(resolved).toBeLessThan(100);

      if (how === 'fails') {
        respond({ code: status.ABORTED, details: 'no' });
      } else {
        call.cancel();
      }

      const code = how === 'fails' ? status.ABORTED : status.CANCELLED;
      await expect(call).rejects.toMatchObject({ code });
      const outcomes = await Promise.allSettled(sent);
      expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { code } });
      const rejected = outcomes.filter((outcome) => outcome.status === 'rejected');
      // The one that was on its way may count as sent.
      expect(rejected.length).toBeGreaterThanOrEqual(99 - resolved);
    },
  );

  test('a send() of a call that was cancelled before it had a connection rejects', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream();
    const sent = call.requests.send(REQUEST);
    const more = call.requests.send(REQUEST);

    call.cancel('at once');

    await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
    await expect(more).rejects.toMatchObject({ code: status.CANCELLED, cause: 'at once' });
    await expect(sent).rejects.toMatchObject({ code: status.CANCELLED, cause: 'at once' });
  });

  test('a send() of a call that was refused rejects', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream(undefined, { timeoutMs: 0 });
    const sent = [call.requests.send(REQUEST), call.requests.send(REQUEST), call.requests.send(REQUEST)];

    await expect(call).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await expect(sent[2]).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await Promise.allSettled(sent);
    await expect(call.requests.send(REQUEST)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('a send() of what cannot be serialized rejects, and the call fails with INTERNAL', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream();
    const sent = call.requests.send({ path: 5 } as never);

    await expect(call).rejects.toMatchObject({ code: status.INTERNAL });
    await expect(sent).rejects.toMatchObject({ code: status.INTERNAL });
  });

  test('a null message rejects its send(), and the call goes on', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream();

    await expect(call.requests.send(null as never)).rejects.toThrow(/null/);
    await call.requests.send(request('1'));
    call.requests.end();

    expect((await call).text).toBe('1');
  });

  test('a send() after end() rejects, and does the call no harm', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream(undefined, { timeoutMs: 2_000 });
    const sent = IDS.map((id) => call.requests.send(request(id)));
    call.requests.end();

    await expect(call.requests.send(request('late'))).rejects.toThrow(/end/);

    expect((await call).text).toBe(IDS.join());
    await Promise.all(sent);
  });

  test('an interceptor that throws at a message rejects its send(), and the next one goes out', async () => {
    await using served = await serveStream(collect);
    const picky: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        sendMessage(message: RelayRequest, next) {
          if (message.id === 'bad') {
            throw new Error('not this one');
          }
          next(message);
        },
      });
    const call = served.client.clientStream(undefined, { interceptors: [picky] });

    await expect(call.requests.send(request('bad'))).rejects.toThrow('not this one');
    await call.requests.send(request('1'));
    call.requests.end();

    expect((await call).text).toBe('1');
  });

  test('end() twice is once', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream();
    await call.requests.send(request('1'));

    call.requests.end();
    call.requests.end();

    expect((await call).text).toBe('1');
  });

  test('send() and end() can be taken off the call', async () => {
    await using served = await serveStream(collect);
    const call = served.client.clientStream();
    const requests: { send: (message: RelayRequest) => Promise<void>; end: () => void } = call.requests;
    const { send, end } = requests;

    await send(request('1'));
    end();

    expect((await call).text).toBe('1');
  });

  test('nothing but end() is a call without requests', async () => {
    const ended = deferred();
    await using served = await serveStream((call, respond) => {
      call.resume();
      void first(call, 'end').then(() => {
        ended.resolve();
        respond(null, REPLY);
      });
    });
    const call = served.client.clientStream();

    call.requests.end();

    await ended.promise;
    expect(await call).toEqual(REPLY);
  });
});
