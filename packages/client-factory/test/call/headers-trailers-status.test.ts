import 'reflect-metadata';
import { Metadata, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import { CALL_KINDS, type CallKind } from '@grpc-di/test-rig';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  closeAll,
  connect,
  deferred,
  errorOf,
  messagesOf,
  type ServedCall,
  serve,
  serveAll,
  start,
} from './served-calls.js';

afterAll(closeAll);

function metadata(name: string, value: string): Metadata {
  const made = new Metadata();
  made.set(name, value);
  return made;
}

function sendHeaders({ call }: ServedCall): void {
  (call as ServerUnaryCall<unknown, unknown>).sendMetadata(metadata('x-header', 'first'));
}

describe.each(CALL_KINDS)('%s', (kind) => {
  test('headers come before the response, trailers and status with it', async () => {
    const served = deferred<ServedCall>();
    await using server = await serveAll((call) => {
      sendHeaders(call);
      served.resolve(call);
    });
    const call = start(server.client, kind);
    const [headers, trailers, ended] = [call.headers, call.trailers, call.status];
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });

    expect((await headers).get('x-header')).toEqual(['first']);
    expect(isOver).toBe(false);
    (await served.promise).answer(metadata('x-trailer', 'last'));

    expect(await messagesOf(call)).toHaveLength(1);
    expect((await trailers).get('x-trailer')).toEqual(['last']);
    expect(await ended).toMatchObject({ code: status.OK, details: 'OK' });
    expect((await ended).metadata.get('x-trailer')).toEqual(['last']);
  });

  test('all three can be asked for when the call is long over, and more than once', async () => {
    await using server = await serveAll((call) => {
      sendHeaders(call);
      call.answer(metadata('x-trailer', 'last'));
    });
    const call = start(server.client, kind);
    await messagesOf(call);

    for (let time = 0; time < 2; time++) {
      expect((await call.headers).get('x-header')).toEqual(['first']);
      expect((await call.trailers).get('x-trailer')).toEqual(['last']);
      expect((await call.status).code).toBe(status.OK);
    }
  });

  test('a failed call has them too', async () => {
    await using server = await serveAll((call) => {
      sendHeaders(call);
      call.fail(status.ABORTED, 'no', metadata('x-trailer', 'last'));
    });
    const call = start(server.client, kind);
    const error = await errorOf(call);

    expect((await call.headers).get('x-header')).toEqual(['first']);
    expect((await call.trailers).get('x-trailer')).toEqual(['last']);
    expect(await call.status).toMatchObject({ code: status.ABORTED, details: 'no' });
    expect(error.metadata.get('x-trailer')).toEqual(['last']);
  });

  test.each(['before', 'after'])(
    "headers asked for %s a call that ends without them reject with the call's error",
    async (when) => {
      await using server = await serveAll((call) => call.fail(status.ABORTED, 'no', metadata('x-trailer', 'last')));
      const call = start(server.client, kind);
      const early = when === 'before' ? call.headers : undefined;
      const error = await errorOf(call);

      await expect(early ?? call.headers).rejects.toBe(error);
      expect((await call.trailers).get('x-trailer')).toEqual(['last']);
      expect((await call.status).code).toBe(status.ABORTED);
    },
  );

  test('a cancelled call has a status and trailers', async () => {
    const served = deferred<ServedCall>();
    await using server = await serveAll(served.resolve);
    const call = start(server.client, kind);
    const [headers, trailers, ended] = [call.headers, call.trailers, call.status];
    await served.promise;

    call.cancel('enough');

    expect(await ended).toMatchObject({ code: status.CANCELLED, details: 'Cancelled on client' });
    expect(await trailers).toBeInstanceOf(Metadata);
    await expect(headers).rejects.toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    await expect(call.headers).rejects.toMatchObject({ code: status.CANCELLED });
    expect((await call.status).code).toBe(status.CANCELLED);
  });

  test('a call that was refused has a status and trailers', async () => {
    await using server = await serveAll(() => {});
    const call = start(server.client, kind, { timeoutMs: 0 });
    const [headers, trailers, ended] = [call.headers, call.trailers, call.status];

    expect((await ended).code).toBe(status.DEADLINE_EXCEEDED);
    expect(await trailers).toBeInstanceOf(Metadata);
    await expect(headers).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    const error = await errorOf(call);
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error.metadata).toBeInstanceOf(Metadata);
    await expect(call.headers).rejects.toBe(error);
  });

  test('a call through a closed client has a status and trailers', async () => {
    const { client, factory } = connect('127.0.0.1:1');
    await factory.close();
    const call = start(client, kind);

    expect((await call.status).code).toBe(status.UNAVAILABLE);
    expect(await call.trailers).toBeInstanceOf(Metadata);
    await expect(call.headers).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect((await errorOf(call)).details).toContain('closed');
  });
});

const STREAMED = ['serverStream', 'bidi'] as const satisfies readonly CallKind[];

describe.each(STREAMED)('%s without a message', (kind) => {
  test('has empty headers, as the server sent its status in their place', async () => {
    const end = (call: ServerWritableStream<never, never>): void => {
      call.end(metadata('x-trailer', 'last'));
    };
    await using server = await serve({ serverStream: end as never, bidi: end as never });
    const call = start(server.client, kind);
    const early = call.headers;

    expect(await messagesOf(call)).toEqual([]);

    expect((await early).getMap()).toEqual({});
    expect((await call.headers).getMap()).toEqual({});
    expect((await call.trailers).get('x-trailer')).toEqual(['last']);
    expect((await call.status).code).toBe(status.OK);
  });

  test('has its headers where the server sent some', async () => {
    await using server = await serveAll((call) => {
      sendHeaders(call);
      (call.call as ServerWritableStream<unknown, unknown>).end();
    });
    const call = start(server.client, kind);

    expect(await messagesOf(call)).toEqual([]);
    expect((await call.headers).get('x-header')).toEqual(['first']);
  });
});

describe.each(STREAMED)('the status of a %s call that nobody reads', (kind) => {
  test('is there once the messages were read, and not before', async () => {
    await using server = await serveAll((call) => {
      for (let message = 0; call.kind === kind && message < 100; message++) {
        (call.call as ServerWritableStream<unknown, unknown>).write({ id: `${message}`, text: '', deadline: 0 });
      }
      call.answer();
    });
    const call = start(server.client, kind);
    let isOver = false;
    void call.status.then(() => {
      isOver = true;
    });
    await call.headers;
    // The whole answer fits into one window: that of a later call comes after it.
    await messagesOf(start(server.client, 'unary'));
    expect(isOver).toBe(false);

    expect(await messagesOf(call)).toHaveLength(101);
    expect((await call.status).code).toBe(status.OK);
  });

  test('is there when the call was cancelled', async () => {
    await using server = await serveAll((call) => {
      (call.call as ServerWritableStream<unknown, unknown>).write({ id: '', text: '', deadline: 0 });
    });
    const call = start(server.client, kind);
    await call.headers;

    call.cancel();

    expect((await call.status).code).toBe(status.CANCELLED);
  });

  test.each(['its deadline passed', 'its signal aborted'])(
    'is there when %s, with messages left unread',
    async (how) => {
      await using server = await serveAll((call) => {
        for (let message = 0; message < 100; message++) {
          (call.call as ServerWritableStream<unknown, unknown>).write({ id: `${message}`, text: '', deadline: 0 });
        }
      });
      const controller = new AbortController();
      const call = start(
        server.client,
        kind,
        how === 'its deadline passed' ? { timeoutMs: 150 } : { signal: controller.signal },
      );
      await call.headers.catch(() => {}); // on a slow machine the deadline comes first
      controller.abort();

      expect((await call.status).code).toBe(
        how === 'its deadline passed' ? status.DEADLINE_EXCEEDED : status.CANCELLED,
      );
    },
  );

  test('is there when the call failed', async () => {
    await using server = await serveAll((call) => call.fail(status.ABORTED, 'no'));

    expect((await start(server.client, kind).status).code).toBe(status.ABORTED);
  });
});
