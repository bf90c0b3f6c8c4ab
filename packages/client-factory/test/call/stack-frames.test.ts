import { type ClientUnaryCall, InterceptingCall, type Interceptor, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, expect, test } from '@jest/globals';
import { closeAll, errorOf, REQUEST, serveAll, start } from './served-calls.js';

afterAll(closeAll);

const limit = Error.stackTraceLimit;

function frames(): string[] {
  return new Error('made here').stack!.split('\n').slice(1);
}

test('a callback and the listeners of a failed call make errors with all their stack frames', async () => {
  await using served = await serveAll(({ fail }) => fail(status.NOT_FOUND, 'gone'));
  const seen: Record<string, string[]> = {};

  const error = await new Promise<ServiceError>((resolve) => {
    let failure: ServiceError;
    const call: ClientUnaryCall = served.client.unary(REQUEST, (reason) => {
      failure = reason!;
      seen.callback = frames();
    });
    call.on('status', () => {
      seen.listener = frames();
      resolve(failure);
    });
  });

  expect(seen.callback![0]).toContain('frames');
  expect(seen.callback![1]).toContain('stack-frames.test');
  expect(seen.listener![1]).toContain('stack-frames.test');
  expect(error.stack).toMatch(/\nfor call at\n[\s\S]*stack-frames\.test/);
  expect(Error.stackTraceLimit).toBe(limit);
});

test('a callback may set the limit of stack frames for good', async () => {
  await using served = await serveAll(({ fail }) => fail(status.NOT_FOUND, 'gone'));

  await new Promise<void>((resolve) => {
    served.client.unary(REQUEST, () => {
      Error.stackTraceLimit = limit + 7;
      setImmediate(resolve);
    });
  });

  expect(Error.stackTraceLimit).toBe(limit + 7);
  Error.stackTraceLimit = limit;
});

test('a callback that starts the next call, which is refused, leaves the limit of stack frames as it is', async () => {
  await using served = await serveAll(({ fail }) => fail(status.NOT_FOUND, 'gone'));

  const refused = await new Promise<ServiceError>((resolve) => {
    served.client.unary(REQUEST, () => {
      served.client.unary(REQUEST, { deadline: 0 }, (reason) => resolve(reason!));
    });
  });

  expect(refused.code).toBe(status.DEADLINE_EXCEEDED);
  expect(Error.stackTraceLimit).toBe(limit);
});

test.each(['callback', 'promise'])(
  'an interceptor of a failed call makes errors with stack frames: %s',
  async (form) => {
    await using served = await serveAll(({ fail }) => fail(status.NOT_FOUND, 'gone'));
    let seen: string[] = [];
    const interceptor: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, _listener, next) {
          next(metadata, {
            onReceiveStatus(received, pass) {
              seen = frames();
              pass(received);
            },
          });
        },
      });

    if (form === 'promise') {
      await errorOf(start(served.client, 'unary', { interceptors: [interceptor] }));
    } else {
      await new Promise((resolve) => {
        served.client.unary(REQUEST, { interceptors: [interceptor] }, resolve);
      });
    }

    expect(seen[1]).toContain('stack-frames.test');
  },
);

test("an instrumentation's listener on a failed promise makes errors with stack frames", async () => {
  await using served = await serveAll(({ fail }) => fail(status.NOT_FOUND, 'gone'));
  const call = start(served.client, 'unary') as unknown as Promise<unknown> & {
    on(event: string, listener: () => void): void;
  };
  let seen: string[] = [];
  call.on('status', () => {
    seen = frames();
  });

  await errorOf(call as never);

  expect(seen[1]).toContain('stack-frames.test');
});
