import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { RelayReply, RelayRequest } from '@grpc-di/test-rig';
import { describe, expect, jest, test } from '@jest/globals';
import { authority, certificateOf } from './certificates.js';
import { askHttp1, askHttp2, grpcClient, http2Client, statusOfUnary, unary } from './clients.js';
import { type EchoHost, echo, startEchoHost } from './echo-host.js';
import { Deferred } from './waiting.js';
import { frame, GOAWAY, PREFACE, SETTINGS, WireClient } from './wire.js';

describe.each(['a TLS port', 'a plain-text port'])('close, on %s,', (kind) => {
  test('lets what is running finish, of every protocol, and accepts nothing more', async () => {
    await using running = await startRunning();
    const { grpc, http2, http1 } = running.ask();
    await running.arrived;

    const closed = running.host.host.close();
    await expect(once(connect(running.host.port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
    running.goOn.resolve();

    expect(await Promise.all([grpc, http2, http1])).toEqual([
      { code: status.OK, details: '' },
      expect.objectContaining({ body: 'late 2.0' }),
      expect.objectContaining({ body: 'late 1.1', headers: expect.objectContaining({ connection: 'close' }) }),
    ]);
    await closed;
  });

  test('cuts what is still running after graceMs', async () => {
    await using running = await startRunning();
    const asked = running.ask();
    const outcomes = Promise.allSettled([asked.grpc, asked.http2, asked.http1]);
    await running.arrived;

    await running.host.host.close({ graceMs: 1 });

    const [grpc, http2, http1] = await outcomes;
    expect(grpc).toMatchObject({ value: { code: status.CANCELLED } });
    expect(http2).toMatchObject({ reason: { message: 'closed with code 8 before a response' } });
    expect(http1).toMatchObject({ reason: { code: 'ECONNRESET' } });
  });

  test('again, with a shorter grace, cuts what the first call waits for', async () => {
    await using running = await startRunning();
    const asked = running.ask();
    const outcomes = Promise.allSettled([asked.grpc, asked.http2, asked.http1]);
    await running.arrived;

    const first = running.host.host.close({ graceMs: Number.POSITIVE_INFINITY });
    await running.host.host.close({ graceMs: 0 });

    await first;
    await outcomes;
  });

  test('closes connections on which nothing is asked at once', async () => {
    await using running = await startRunning();
    const agent = new Agent({ keepAlive: true });
    running.goOn.resolve();
    const { grpc, http2, http1 } = running.ask(agent);
    await Promise.all([grpc, http2, http1]);

    await running.host.host.close({ graceMs: Number.POSITIVE_INFINITY });
    agent.destroy();
  });

  /** A host whose answers wait for `goOn`, and a client of every protocol. */
  async function startRunning() {
    const signer = await authority();
    const isTls = kind === 'a TLS port';
    const trust = isTls ? { ca: signer.cert } : undefined;
    const goOn = new Deferred();
    const arrivals = { grpc: new Deferred(), '2.0': new Deferred(), '1.1': new Deferred() };
    const host: EchoHost = await startEchoHost({
      tls: isTls ? await certificateOf('server', signer) : undefined,
      handlers: {
        unary(call: ServerUnaryCall<RelayRequest, RelayReply>, respond: sendUnaryData<RelayReply>) {
          arrivals.grpc.resolve();
          void goOn.promise.then(() => respond(null, echo(call.request)));
        },
      },
      http(request, response) {
        arrivals[request.httpVersion as '2.0' | '1.1'].resolve();
        void goOn.promise.then(() => response.end(`late ${request.httpVersion}`));
      },
    });
    const grpc = grpcClient(host.port, trust);
    const http2 = http2Client(host.port, trust);
    http2.on('error', () => {});
    return {
      host,
      goOn,
      arrived: Promise.all([arrivals.grpc.promise, arrivals['2.0'].promise, arrivals['1.1'].promise]),
      ask: (agent?: Agent) => ({
        grpc: statusOfUnary(grpc),
        http2: askHttp2(http2, {}),
        http1: askHttp1(host.port, { agent: isTls ? undefined : agent }, trust),
      }),
      async [Symbol.asyncDispose]() {
        grpc.close();
        http2.destroy();
        await host.host.close({ graceMs: 0 });
      },
    };
  }
});

describe('close', () => {
  test('sends GOAWAY to a client that has not asked yet, so that it asks elsewhere', async () => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    client.send(PREFACE, frame(SETTINGS));
    await client.received(SETTINGS);

    const closed = host.host.close({ graceMs: Number.POSITIVE_INFINITY });

    const { payload } = await client.received(GOAWAY);
    expect([payload.readUInt32BE(0), payload.readUInt32BE(4)]).toEqual([0, 0]);
    await closed;
  });

  test('ends a connection of HTTP/1.1 with its last response, also where the headers promised to keep it', async () => {
    const goOn = new Deferred();
    await using host = await startEchoHost({
      http(_request, response) {
        response.write('first');
        void goOn.promise.then(() => response.end());
      },
    });
    const agent = new Agent({ keepAlive: true });
    const request = get({ port: host.port, host: '127.0.0.1', agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];

    const closed = host.host.close({ graceMs: Number.POSITIVE_INFINITY });
    goOn.resolve();
    await response.toArray();

    expect(response.headers.connection).toBe('keep-alive');
    await closed;
    agent.destroy();
  });

  test('does not wait for a client that does not read, nor for a TLS handshake that does not end', async () => {
    const signer = await authority();
    await using host = await startEchoHost({ tls: await certificateOf('server', signer) });
    const socket = connect(host.port, '127.0.0.1');
    await once(socket, 'connect');
    const gone = once(socket, 'close');

    await host.host.close({ graceMs: 0 });
    await gone;
  });

  test('leaves the grpc-js server to its owner', async () => {
    await using first = await startEchoHost();
    await first.host.close();
    const { createHttp2Host } = await import('@grpc-di/http2-host');
    await using second = createHttp2Host({ grpc: first.grpc });
    const { port } = await second.listen(0, '127.0.0.1');
    const client = grpcClient(port);

    expect((await unary(client)).id).toBe('a');
    client.close();
  });

  test('of a host that never listened resolves', async () => {
    const { createHttp2Host } = await import('@grpc-di/http2-host');

    await createHttp2Host({ http: () => {} }).close();
  });

  test.each([Number.NaN, -1, '5'])('refuses a grace of %s', async (graceMs) => {
    await using host = await startEchoHost();

    expect(() => host.host.close({ graceMs: graceMs as number })).toThrow('graceMs must be a number of milliseconds');
  });

  test('waits 10 s without a grace of its own', async () => {
    await using host = await startEchoHost();
    const setTimer = jest.spyOn(globalThis, 'setTimeout');

    await host.host.close();

    expect(setTimer.mock.calls.map(([, milliseconds]) => milliseconds)).toContain(10_000);
    setTimer.mockRestore();
  });
});
