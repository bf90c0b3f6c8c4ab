import 'reflect-metadata';
import { connectivityState, status } from '@grpc/grpc-js';
import { createGrpcClient, type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from '../registration/named-server.js';
import { type CountingProxy, startCountingProxy } from './counting-proxy.js';

// grpc-js shares the connections of channels with equal targets and options, in a pool of the process: without one of
// its own, two channels would look like one.
const channelOptions = { 'grpc.use_local_subchannel_pool': 1 };

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
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await proxy[Symbol.asyncDispose]();
});

let calls = 0;
async function answeredCall(leaf: GrpcClient<LeafClient>): Promise<string> {
  const caseId = `sharing ${calls++}`;
  const call = leaf.unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
  (await leafServer.arrived(caseId)).answer();
  return (await call).text;
}

describe('the channel of a registration', () => {
  test('connects on the first call, not on injection', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    container.get(GrpcClientFactory).validate();
    expect(leaf.getChannel().getConnectivityState(false)).toBe(connectivityState.IDLE);
    expect(proxy.opened).toBe(0);

    await answeredCall(leaf);
    expect(proxy.opened).toBe(1);
  });

  test('is shared by all objects', async () => {
    const leaves = Array.from({ length: 5 }, () => getGrpcClient(container, LeafClient));

    await Promise.all(leaves.map(answeredCall));

    expect(proxy.opened).toBe(1);
  });

  test('is not shared with a registration under another name', async () => {
    createGrpcClient(container, LeafClient, { name: 'other', address: proxy.address, channelOptions });

    await answeredCall(getGrpcClient(container, LeafClient));
    await answeredCall(getGrpcClient(container, LeafClient, 'other'));

    expect(proxy.opened).toBe(2);
  });

  test('is not shared with another container', async () => {
    const other = new Container();
    createGrpcClient(other, LeafClient, { address: proxy.address, channelOptions });

    await answeredCall(getGrpcClient(container, LeafClient));
    await answeredCall(getGrpcClient(other, LeafClient));
    await other.get(GrpcClientFactory).close();

    expect(proxy.opened).toBe(2);
    expect(await answeredCall(getGrpcClient(container, LeafClient))).toBe('done');
  });

  test('is shared with child containers', async () => {
    const child = new Container({ parent: container });

    await answeredCall(getGrpcClient(container, LeafClient));
    await answeredCall(getGrpcClient(child, LeafClient));

    expect(proxy.opened).toBe(1);
  });
});

describe('close() on an injected client', () => {
  test('closes that object alone', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    const other = getGrpcClient(container, LeafClient);
    await answeredCall(leaf);

    leaf.close();

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: "this object of gRPC client 'grpc_di.test.v1.Leaf' is closed: its close() was called",
    });
    expect(await answeredCall(other)).toBe('done');
    expect(await answeredCall(getGrpcClient(container, LeafClient))).toBe('done');
    expect(proxy.opened).toBe(1);
  });

  test('lets its running calls finish', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    const call = leaf.unary(REQUEST, { metadata: { [CASE_KEY]: 'running at close' } });
    const arrival = await leafServer.arrived('running at close');

    leaf.close();
    arrival.answer();

    expect((await call).text).toBe('done');
  });

  test('lasts: neither waitForReady nor getConnectivityState(true) opens it again', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    leaf.close();
    leaf.close();

    expect(leaf.getChannel().getConnectivityState(true)).toBe(connectivityState.SHUTDOWN);
    const error = await new Promise((resolve) => {
      leaf.waitForReady(Date.now() + 60_000, resolve);
    });
    expect(String(error)).toBe('Error: The channel has been closed');
    expect(() => leaf.getChannel().watchConnectivityState(connectivityState.IDLE, Infinity, () => {})).toThrow(
      "this object of gRPC client 'grpc_di.test.v1.Leaf' is closed",
    );
    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(proxy.opened).toBe(0);
  });

  test('fails later calls of every kind, in both forms', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    leaf.close();
    const closed = { code: status.UNAVAILABLE, details: expect.stringContaining('its close() was called') };

    await expect(leaf.clientStream([REQUEST])).rejects.toMatchObject(closed);
    await expect(drain(leaf.serverStream(REQUEST))).rejects.toMatchObject(closed);
    await expect(drain(leaf.bidi([REQUEST]))).rejects.toMatchObject(closed);
    expect(await new Promise((resolve) => leaf.unary(REQUEST, resolve))).toMatchObject(closed);
    expect(await new Promise((resolve) => leaf.clientStream(resolve))).toMatchObject(closed);
    expect(await new Promise((resolve) => leaf.serverStream(REQUEST).on('error', resolve))).toMatchObject(closed);
    expect(await new Promise((resolve) => leaf.bidi().on('error', resolve))).toMatchObject(closed);
  });
});

async function drain(call: AsyncIterable<unknown>): Promise<void> {
  for await (const _reply of call) {
    // Only its end matters.
  }
}
