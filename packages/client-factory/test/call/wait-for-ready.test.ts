import 'reflect-metadata';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { CALL_KINDS, LeafService, type RelayServer } from '@grpc-di/test-rig';
import { afterAll, describe, expect, test } from '@jest/globals';
import { FORMS, startChild } from '../propagation/child-call.js';
import { caseName, closeAll, connect, errorOf, messagesOf, REPLY, start } from './served-calls.js';

afterAll(closeAll);

/** Tries a connection again soon after it was refused; grpc-js waits a second. */
const IMPATIENT = {
  channelOptions: { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 50 },
};

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Answers every call on a given port. */
async function listen(port: number): Promise<Server> {
  const server = new Server();
  server.addService(LeafService, {
    unary: (_call, respond) => respond(null, REPLY),
    clientStream: (call, respond) => {
      call.resume();
      respond(null, REPLY);
    },
    serverStream: (call) => {
      call.write(REPLY);
      call.end();
    },
    bidi: (call) => {
      call.resume();
      call.write(REPLY);
      call.end();
    },
  } satisfies Partial<RelayServer>);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return server;
}

describe.each(CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const)))(
  '%s, %s form, where nobody listens',
  (kind, form) => {
    test.concurrent('fails with UNAVAILABLE without waitForReady', async () => {
      await using connected = connect(`127.0.0.1:${await freePort()}`);

      expect((await startChild(connected.client, kind, form, caseName()))?.code).toBe(status.UNAVAILABLE);
      expect((await startChild(connected.client, kind, form, caseName(), { waitForReady: false }))?.code).toBe(
        status.UNAVAILABLE,
      );
    });

    test.concurrent('waits with it, and succeeds when the server comes up', async () => {
      const port = await freePort();
      await using connected = connect(`127.0.0.1:${port}`, IMPATIENT);
      let isOver = false;
      const outcome = startChild(connected.client, kind, form, caseName(), { waitForReady: true }).finally(() => {
        isOver = true;
      });
      // A call that does not wait has learnt by now that the connection was refused.
      expect((await startChild(connected.client, kind, form, caseName()))?.code).toBe(status.UNAVAILABLE);
      expect(isOver).toBe(false);
      const server = await listen(port);

      expect(await outcome).toBeUndefined();
      server.forceShutdown();
    });

    test.concurrent('waits no longer than its deadline', async () => {
      await using connected = connect(`127.0.0.1:${await freePort()}`);

      const error = await startChild(connected.client, kind, form, caseName(), { waitForReady: true, timeoutMs: 150 });

      expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
      expect(error?.details).toContain("(the call's own deadline)");
    });

    test.concurrent('waits no longer than its signal', async () => {
      await using connected = connect(`127.0.0.1:${await freePort()}`);
      const controller = new AbortController();
      const outcome = startChild(connected.client, kind, form, caseName(), {
        waitForReady: true,
        signal: controller.signal,
      });
      await startChild(connected.client, kind, form, caseName());

      controller.abort('enough');

      expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    });
  },
);

describe.each(CALL_KINDS)('%s', (kind) => {
  test.concurrent('cancel() ends the wait', async () => {
    const port = await freePort();
    await using connected = connect(`127.0.0.1:${port}`);
    const call = start(connected.client, kind, { waitForReady: true });
    const outcome = errorOf(call);
    await errorOf(start(connected.client, kind));

    call.cancel('enough');

    expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    expect((await call.status).code).toBe(status.CANCELLED);
  });

  test.concurrent("a Metadata's own waitForReady is respected, and the option goes before it", async () => {
    await using connected = connect(`127.0.0.1:${await freePort()}`);
    const metadata = new Metadata({ waitForReady: true });

    const waiting = errorOf(start(connected.client, kind, { metadata, timeoutMs: 150 }));
    const impatient = errorOf(start(connected.client, kind, { metadata, waitForReady: false, timeoutMs: 10_000 }));

    expect((await impatient).code).toBe(status.UNAVAILABLE);
    expect((await waiting).code).toBe(status.DEADLINE_EXCEEDED);
  });

  test.concurrent('a peer that accepts and never speaks: cancel(), signal and deadline end the call at once', async () => {
    const silent = createServer((socket) => {
      sockets.push(socket);
    }).listen(0, '127.0.0.1');
    const sockets: Array<{ destroy(): void }> = [];
    await once(silent, 'listening');
    await using connected = connect(`127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const controller = new AbortController();
    const calls = [
      start(connected.client, kind),
      start(connected.client, kind, { signal: controller.signal }),
      start(connected.client, kind, { timeoutMs: 150 }),
      start(connected.client, kind, { waitForReady: true }),
    ] as const;
    const outcomes = calls.map(errorOf);
    await once(silent, 'connection');
    const cancelledAt = Date.now();

    calls[0].cancel('cancel()');
    calls[3].cancel('cancel()');
    controller.abort('the signal');

    expect(await outcomes[0]).toMatchObject({ code: status.CANCELLED, cause: 'cancel()' });
    expect(await outcomes[3]).toMatchObject({ code: status.CANCELLED, cause: 'cancel()' });
    expect(await outcomes[1]).toMatchObject({ code: status.CANCELLED, cause: 'the signal' });
    // grpc-js would give up on the connection after 20 s.
    expect(Date.now() - cancelledAt).toBeLessThan(5_000);
    expect((await outcomes[2])?.code).toBe(status.DEADLINE_EXCEEDED);
    for (const socket of sockets) {
      socket.destroy();
    }
    silent.close();
  });

  test.concurrent('works against a server that is there', async () => {
    const port = await freePort();
    const server = await listen(port);
    await using connected = connect(`127.0.0.1:${port}`);

    expect(await messagesOf(start(connected.client, kind, { waitForReady: true }))).toEqual([REPLY]);
    server.forceShutdown();
  });
});
