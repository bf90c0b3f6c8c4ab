import { type ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { callContextInterceptor, currentServerCallContext, type ServerCallContext } from '@grpc-di/server';
import { type LeafClient, startTcpProxy } from '@grpc-di/test-rig';
import { expect, test } from '@jest/globals';
import { grpcClient, REQUEST } from './clients.js';
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
