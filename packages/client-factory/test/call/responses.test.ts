import 'reflect-metadata';
import { types } from 'node:util';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CALL_KINDS, type CallKind, LeafService, RelayReply, type RelayServer, startServer } from '@grpc-di/test-rig';
import { afterAll, describe, expect, test } from '@jest/globals';
import { closeAll, connect, errorOf, messagesOf, REPLY, REQUEST, serve, serveAll, start } from './served-calls.js';

afterAll(closeAll);

describe.each(CALL_KINDS)('%s', (kind) => {
  test('succeeds with what the server replied', async () => {
    await using served = await serveAll(({ answer }) => answer());

    expect(await messagesOf(start(served.client, kind))).toEqual([REPLY]);
  });

  test("fails with grpc-js's ServiceError: code, details, trailers, message and the caller's stack", async () => {
    const trailers = new Metadata();
    trailers.set('x-reason', 'gone');
    trailers.set('x-trace-bin', Buffer.from([0, 255]));
    await using served = await serveAll(({ fail }) => fail(status.NOT_FOUND, 'no such thing: ü', trailers));

    const error = await errorOf(start(served.client, kind));

    expect(types.isNativeError(error)).toBe(true);
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.details).toBe('no such thing: ü');
    expect(error.message).toBe('5 NOT_FOUND: no such thing: ü');
    expect(error.metadata).toBeInstanceOf(Metadata);
    expect(error.metadata.get('x-reason')).toEqual(['gone']);
    expect(error.metadata.get('x-trace-bin')).toEqual([Buffer.from([0, 255])]);
    expect(error.cause).toBeUndefined();
    expect(error.stack).toContain('responses.test');
  });

  test('is UNIMPLEMENTED where the server has no such method', async () => {
    await using served = await serve({});

    expect((await errorOf(start(served.client, kind))).code).toBe(status.UNIMPLEMENTED);
  });

  test('is UNAVAILABLE where nobody listens', async () => {
    const served = await serveAll(({ answer }) => answer());
    await messagesOf(start(served.client, kind));
    await served.server[Symbol.asyncDispose]();

    const error = await errorOf(start(served.client, kind));

    expect(error.code).toBe(status.UNAVAILABLE);
    expect(error.metadata).toBeInstanceOf(Metadata);
    await served[Symbol.asyncDispose]();
  });
});

const SINGLE_RESPONSE = ['unary', 'clientStream'] as const satisfies readonly CallKind[];

describe.each(SINGLE_RESPONSE)('the promise of a %s call', (kind) => {
  test('is a Promise: then, catch, finally, Promise.all and a second await work', async () => {
    await using served = await serveAll(({ answer, fail, call }) =>
      call.metadata.get('x-fail').length > 0 ? fail(status.ABORTED, 'told to') : answer(),
    );
    const call = start(served.client, kind) as unknown as Promise<unknown>;
    const failing = start(served.client, kind, { metadata: { 'x-fail': '1' } }) as unknown as Promise<unknown>;
    const caught = failing.catch((error: { code: number }) => error.code);
    const events: string[] = [];

    expect(Promise.resolve(call)).toBe(call);
    expect(await call.then(() => 'then').finally(() => events.push('finally'))).toBe('then');
    expect(await caught).toBe(status.ABORTED);
    expect(await Promise.all([call, call])).toEqual([REPLY, REPLY]);
    expect((await Promise.allSettled([call, failing])).map((settled) => settled.status)).toEqual([
      'fulfilled',
      'rejected',
    ]);
    expect(events).toEqual(['finally']);
  });
});

test('a request that cannot be serialized fails the call with INTERNAL, and reaches nobody', async () => {
  let arrivals = 0;
  await using served = await serveAll(({ answer }) => {
    arrivals++;
    answer();
  });
  const broken = { ...REQUEST, path: 5 } as never;

  for (const call of [
    served.client.unary(broken),
    served.client.serverStream(broken),
    served.client.clientStream([broken]),
    served.client.bidi([broken]),
  ]) {
    const error = await errorOf(call);
    expect(error.code).toBe(status.INTERNAL);
    expect(error.details).toContain('serialization failure');
    expect((await call.status).code).toBe(status.INTERNAL);
  }
  await messagesOf(start(served.client, 'unary'));
  expect(arrivals).toBe(1);
});

test.each(CALL_KINDS)('a reply that cannot be read fails the call with INTERNAL (%s)', async (kind) => {
  const garbled = Object.fromEntries(
    Object.entries(LeafService).map(([name, method]) => [
      name,
      { ...method, responseSerialize: (reply: RelayReply) => (reply.id === 'garbled' ? GARBAGE : encode(reply)) },
    ]),
  );
  const good = { ...REPLY, id: 'good' };
  const bad = { ...REPLY, id: 'garbled' };
  await using server = await startServer((grpcServer) =>
    grpcServer.addService(garbled, {
      unary: (_call, respond) => respond(null, bad),
      clientStream: (call, respond) => {
        call.resume();
        respond(null, bad);
      },
      serverStream: (call) => {
        call.write(good);
        call.write(bad);
      },
      bidi: (call) => {
        call.resume();
        call.write(good);
        call.write(bad);
      },
    } satisfies Partial<RelayServer>),
  );
  await using connected = connect(server.address);
  const call = start(connected.client, kind);
  const received: string[] = [];
  let error: Partial<ServiceError> = {};
  try {
    if (Symbol.asyncIterator in call) {
      for await (const { id } of call) {
        received.push(id);
      }
    } else {
      await call;
    }
  } catch (caught) {
    error = caught as ServiceError;
  }

  expect(error.code).toBe(status.INTERNAL);
  expect(error.details).toContain('Response message parsing error');
  expect(received).toEqual(Symbol.asyncIterator in call ? ['good'] : []);
  expect((await call.status).code).toBe(status.INTERNAL);
});

/** A field of a length that is not there. */
const GARBAGE = Buffer.from([0x0a, 0x7f]);

function encode(reply: RelayReply): Buffer {
  return Buffer.from(RelayReply.encode(reply).finish());
}
