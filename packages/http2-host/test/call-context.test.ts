import { once } from 'node:events';
import { type ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { type CallContext, currentCallContext } from '@grpc-di/call-context';
import { callContextMiddleware } from '@grpc-di/http';
import { resetStream } from '@grpc-di/http2-host';
import { callContextInterceptor, currentServerCallContext, type ServerCallContext } from '@grpc-di/server';
import { type LeafClient, startTcpProxy } from '@grpc-di/test-rig';
import { expect, test } from '@jest/globals';
import { askHttp1, askHttp2, grpcClient, http2Client, REQUEST } from './clients.js';
import { startEchoHost } from './echo-host.js';
import { Deferred } from './waiting.js';

test.each<[string, number, (client: { call: ClientUnaryCall; cut: () => void }) => void]>([
  ['the client cancels', 1, ({ call }) => call.cancel()],
  ['the connection drops', 1, ({ cut }) => cut()],
  ['the deadline passes', 4, () => {}],
])('the call context of a handler is cancelled when %s', async (_name, code, end) => {
  const arrived = new Deferred<ServerCallContext>();
  await using host = await startEchoHost({
    interceptors: [callContextInterceptor()],
    handlers: { unary: () => arrived.resolve(currentServerCallContext()!) },
  });
  await using proxy = await startTcpProxy(host.port);
  const client: LeafClient = grpcClient(Number(proxy.address.split(':')[1]));
  // Only the call that waits for it has a deadline that comes.
  const deadline = Date.now() + (code === 4 ? 300 : 60_000);
  const call = client.unary(REQUEST, new Metadata(), { deadline }, () => {});
  const context = await arrived.promise;
  const cancelled = new Promise((resolve) => {
    context.signal.addEventListener('abort', () => resolve(context.signal.reason));
  });

  end({ call, cut: proxy.cut });

  expect(await cancelled).toMatchObject({ code });
  expect(Math.abs(context.deadline - deadline)).toBeLessThan(1_000);
  client.close();
});

const ASKED: [string, (port: number) => Promise<unknown>][] = [
  [
    'HTTP/2',
    async (port) => {
      const client = http2Client(port);
      await askHttp2(client, {}).finally(() => client.destroy());
    },
  ],
  ['HTTP/1.1', (port) => askHttp1(port)],
];

test.each(ASKED)(
  'the call context of a request over %s is cancelled when its response is reset',
  async (_version, ask) => {
    const openContext = callContextMiddleware({});
    const reset = new Deferred<CallContext>();
    await using host = await startEchoHost({
      http(request, response) {
        openContext(request, response, () => {
          response.write('part');
          reset.resolve(currentCallContext()!);
          resetStream(response, 2);
        });
      },
    });

    await expect(ask(host.port)).rejects.toThrow();

    const context = await reset.promise;
    if (!context.cancelled) {
      await once(context.signal, 'abort');
    }
    expect([context.cancelled, context.ended]).toEqual([true, false]);
  },
);
