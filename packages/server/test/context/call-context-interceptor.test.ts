import { Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { currentCallContext } from '@grpc-di/call-context';
import { callContextInterceptor } from '@grpc-di/server';
import { CALL_KINDS } from '@grpc-di/test-rig';
import { expect, test } from '@jest/globals';
import { startCall } from '../bare-call.js';
import { startPlainRelay } from '../plain-relay.js';

test.each<[unknown, string]>([
  [null, 'options must be an object, not null'],
  [5, 'options must be an object, not 5'],
  [{ cancelOnCompletion: 'yes' }, "cancelOnCompletion must be a boolean, not 'yes'"],
  [{ maxTimeoutMs: 0 }, 'maxTimeoutMs must be a number of milliseconds greater than 0, not 0'],
  [{ maxTimeoutMs: Number.NaN }, 'maxTimeoutMs must be a number of milliseconds greater than 0, not NaN'],
  [{ maxTimeoutMs: '5s' }, "maxTimeoutMs must be a number of milliseconds greater than 0, not '5s'"],
  [{ deadlineSlackMs: -1 }, 'deadlineSlackMs must be a number of milliseconds, 0 or more, not -1'],
  [{ deadlineSlackMs: null }, 'deadlineSlackMs must be a number of milliseconds, 0 or more, not null'],
  [{ timeoutMs: 5 }, 'unknown option "timeoutMs"; it takes cancelOnCompletion, maxTimeoutMs and deadlineSlackMs'],
])('options %p are a TypeError', (options, complaint) => {
  expect(() => callContextInterceptor(options as object)).toThrow(
    new TypeError(`callContextInterceptor: ${complaint}`),
  );
});

test('options that are undefined are the defaults', () => {
  const options = { cancelOnCompletion: undefined, maxTimeoutMs: undefined, deadlineSlackMs: undefined };
  expect(() => callContextInterceptor(options)).not.toThrow();
  expect(() => callContextInterceptor({ maxTimeoutMs: Infinity, deadlineSlackMs: 0 })).not.toThrow();
});

test.each(CALL_KINDS)('interceptors after it run in the context of their %s call', async (kind) => {
  const found = new Map<string, unknown>();
  const look = (place: string): void => void found.set(place, currentCallContext());
  await using relay = await startPlainRelay([callContextInterceptor(), looking(look)], ({ stream, succeed }) => {
    if (kind === 'clientStream' || kind === 'bidi') {
      stream.resume().on('end', succeed);
    } else {
      succeed();
    }
  });

  await startCall(relay.client, kind).status;

  const { context } = await relay.nextCall();
  for (const place of ['metadata', 'message', 'half-close']) {
    expect(found.get(place)).toBe(context);
  }
  expect([found.has('cancel'), found.get('cancel')]).toEqual([true, undefined]);
});

test.each(CALL_KINDS)('an interceptor after it may replace the request metadata of a %s call', async (kind) => {
  const replacement = new Metadata();
  replacement.set('x-user', 'authenticated');
  await using relay = await startPlainRelay([callContextInterceptor(), replacing(replacement)], ({ succeed }) =>
    succeed(),
  );

  const { code } = await startCall(relay.client, kind).status;

  const { grpc, context } = await relay.nextCall();
  expect(code).toBe(0);
  expect(grpc.metadata).toBe(replacement);
  expect(context.deadline).toBe(Infinity);
});

function looking(look: (place: string) => void): ServerInterceptor {
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, mdNext) {
            look('metadata');
            mdNext(metadata);
          },
          onReceiveMessage(message, messageNext) {
            look('message');
            messageNext(message);
          },
          onReceiveHalfClose(halfCloseNext) {
            look('half-close');
            halfCloseNext();
          },
          onCancel() {
            look('cancel'); // the call has ended then
          },
        }),
    });
}

function replacing(replacement: Metadata): ServerInterceptor {
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => next({ onReceiveMetadata: (_metadata, mdNext) => mdNext(replacement) }),
    });
}
