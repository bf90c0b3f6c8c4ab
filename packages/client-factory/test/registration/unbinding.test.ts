import 'reflect-metadata';
import { status } from '@grpc/grpc-js';
import { createGrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, RelayClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { type CountingProxy, startCountingProxy } from '../channel/counting-proxy.js';
import { REQUEST } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';
const channelOptions = { 'grpc.use_local_subchannel_pool': 1 };
const UNBOUND = {
  code: status.UNAVAILABLE,
  details: `gRPC client '${LEAF}' is closed: its binding was removed from the container`,
};

let leafServer: RunningLeaf;
beforeAll(async () => {
  leafServer = await startLeaf();
});
afterAll(async () => {
  await leafServer[Symbol.asyncDispose]();
});

let proxy: CountingProxy;
let container: Container;
beforeEach(async () => {
  proxy = await startCountingProxy(leafServer.port);
  container = new Container();
  createGrpcClient(container, LeafClient, { address: proxy.address, channelOptions });
});
afterEach(async () => {
  if (container.isBound(GrpcClientFactory)) {
    await container.get(GrpcClientFactory).close({ cancelCalls: true });
  }
  await proxy[Symbol.asyncDispose]();
});

let calls = 0;
async function runningCall() {
  const caseId = `unbinding ${calls++}`;
  const call = getGrpcClient(container, LeafClient).unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
  return { call, arrival: await leafServer.arrived(caseId) };
}

describe.each<[string, () => void | Promise<void>]>([
  ['unbind', () => container.unbind(LeafClient)],
  ['unbindAsync', () => container.unbindAsync(LeafClient)],
  ['unbindAll', () => container.unbindAll()],
  ['unbindAllAsync', () => container.unbindAllAsync()],
  ['rebind', () => void container.rebind(LeafClient).toConstantValue({} as LeafClient)],
  ['rebindAsync', async () => void (await container.rebindAsync(LeafClient)).toConstantValue({} as LeafClient)],
])('after %s', (_name, unbind) => {
  test('new calls of objects that were injected before fail', async () => {
    const leaf = getGrpcClient(container, LeafClient);

    const unbound = unbind();
    await unbound;

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject(UNBOUND);
  });

  test('running calls finish, and then the connections close', async () => {
    const { call, arrival } = await runningCall();

    await unbind();
    arrival.answer();

    expect((await call).text).toBe('done');
    await proxy.allClosed();
    expect(proxy.opened).toBe(1);
  });

  test('idle connections close', async () => {
    const { call, arrival } = await runningCall();
    arrival.answer();
    await call;

    await unbind();

    await proxy.allClosed();
  });
});

test('synchronous unbinding fails calls that start in the same tick', async () => {
  const leaf = getGrpcClient(container, LeafClient);
  container.unbind(LeafClient);
  const call = leaf.unary(REQUEST);
  await expect(call).rejects.toMatchObject(UNBOUND);
  expect(proxy.opened).toBe(0);
});

test('unbinding a class that was never used opens nothing', async () => {
  container.unbind(LeafClient);
  expect(container.isBound(LeafClient)).toBe(false);
  expect(() => getGrpcClient(container, LeafClient)).toThrow('gRPC client LeafClient is not registered');
  container.get(GrpcClientFactory).validate();
  await container.get(GrpcClientFactory).waitForReady();
  expect(proxy.opened).toBe(0);
});

test('unbinding a class removes all its names, and no other class', async () => {
  createGrpcClient(container, LeafClient, { name: 'eu', address: proxy.address });
  createGrpcClient(container, RelayClient, { address: proxy.address });
  const european = getGrpcClient(container, LeafClient, 'eu');

  container.unbind(LeafClient);

  await expect(european.unary(REQUEST)).rejects.toMatchObject({
    details: "gRPC client 'eu' is closed: its binding was removed from the container",
  });
  expect(container.get(LeafClient, { name: 'eu', optional: true })).toBeUndefined();
  expect(getGrpcClient(container, RelayClient)).toBeInstanceOf(RelayClient);
});

test('a class can be registered anew, as something else, and what was injected before stays closed', async () => {
  const { call, arrival } = await runningCall();
  arrival.answer();
  await call;
  const before = getGrpcClient(container, LeafClient);
  container.unbind(LeafClient);

  createGrpcClient(container, LeafClient, { name: 'anew', address: proxy.address, channelOptions });
  createGrpcClient(container, RelayClient, { name: LEAF, address: proxy.address });

  await expect(before.unary(REQUEST)).rejects.toMatchObject(UNBOUND);
  const anew = getGrpcClient(container, LeafClient, 'anew').unary(REQUEST, { metadata: { [CASE_KEY]: 'anew' } });
  (await leafServer.arrived('anew')).answer();
  expect((await anew).text).toBe('done');
  expect(() => container.get(LeafClient)).toThrow("only as 'anew'");
});

test('after unbindAll everything can be registered anew', async () => {
  container.unbindAll();
  expect(container.isBound(GrpcClientFactory)).toBe(false);

  createGrpcClient(container, LeafClient, { address: proxy.address, channelOptions });

  const { call, arrival } = await runningCall();
  arrival.answer();
  expect((await call).text).toBe('done');
});

test.each<[string, () => void | Promise<void>]>([
  ['unbind', () => new Container({ parent: container }).unbind(LeafClient)],
  ['unbindAsync', () => new Container({ parent: container }).unbindAsync(LeafClient)],
  ['rebind', () => void new Container({ parent: container }).rebind(LeafClient)],
  ['unbindAll', () => new Container({ parent: container }).unbindAll()],
])("%s in a child container leaves the parent's client alone, also a second time", async (_name, unbind) => {
  const first = await runningCall();
  await unbind();
  const second = await runningCall();
  await unbind();
  const third = await runningCall();
  for (const { arrival } of [first, second, third]) {
    arrival.answer();
  }
  expect((await Promise.all([first.call, second.call, third.call])).map(({ text }) => text)).toEqual(
    Array(3).fill('done'),
  );
  expect(proxy.opened).toBe(1);

  container.unbind(LeafClient);
  await proxy.allClosed();
});

test('a call that still runs after unbind is one that the factory waits for, and can cancel', async () => {
  const { call, arrival } = await runningCall();
  const factory = container.get(GrpcClientFactory);
  container.unbind(LeafClient);
  let isClosed = false;

  const closed = factory.close().then(() => {
    isClosed = true;
  });
  await new Promise(setImmediate);
  expect(isClosed).toBe(false);
  await factory.close({ cancelCalls: true });

  await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
  await arrival.cancelled;
  await closed;
});
