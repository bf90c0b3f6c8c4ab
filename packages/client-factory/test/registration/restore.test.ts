import 'reflect-metadata';
import { status } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcClient,
  GrpcClientFactory,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { LeafClient, type RunningServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { serverOf, startNamedServer } from './named-server.js';

// What tests do with an application's container: snapshot(), register other addresses, restore().

let earlier: RunningServer;
let later: RunningServer;
beforeAll(async () => {
  [earlier, later] = await Promise.all([startNamedServer('earlier'), startNamedServer('later')]);
});
afterAll(async () => {
  await earlier[Symbol.asyncDispose]();
  await later[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
  createGrpcClient(container, LeafClient, { address: earlier.address });
  createGrpcClient(container, LeafClient, { name: 'defaulted' });
  configureGrpcClientDefaults(container, { address: earlier.address });
  container.snapshot();
});
afterEach(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
});

describe('after restore()', () => {
  test('a client leads to where it did at the snapshot, as often as one likes', async () => {
    for (let i = 0; i < 3; i++) {
      createGrpcClient(container, LeafClient, { address: later.address });
      expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('later');
      container.restore();
      container.snapshot();
    }

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('earlier');
    expect(await serverOf(container.get(GrpcClientFactory).createClient(LeafClient))).toBe('earlier');
    expect(() => createGrpcClient(container, LeafClient, { address: later.address })).toThrow('was already used');
  });

  test('so do the factory and its overrides, and what was used meanwhile is closed', async () => {
    createGrpcClient(container, LeafClient, { address: later.address, timeoutMs: 1_000 });
    const meanwhile = getGrpcClient(container, LeafClient);
    await serverOf(meanwhile);
    container.restore();
    const factory = container.get(GrpcClientFactory);

    expect(factory.getChannel('grpc_di.test.v1.Leaf').getTarget()).toBe(`dns:${earlier.address}`);
    expect(await serverOf(factory.createClient(LeafClient, undefined, { address: later.address }))).toBe('later');
    await expect(serverOf(meanwhile)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: "gRPC client 'grpc_di.test.v1.Leaf' is closed: its binding was removed from the container",
    });
  });

  test('a name that was registered since is gone', async () => {
    createGrpcClient(container, LeafClient, { name: 'since', address: later.address });
    await serverOf(getGrpcClient(container, LeafClient, 'since'));
    container.restore();

    expect(() => container.get(GrpcClientFactory).getChannel('since')).toThrow(
      "gRPC client or channel 'since' is not registered; there are 'grpc_di.test.v1.Leaf', 'defaulted'",
    );
    expect(() => getGrpcClient(container, LeafClient, 'since')).toThrow();
    createGrpcClient(container, LeafClient, { name: 'since', address: earlier.address });
    expect(await serverOf(getGrpcClient(container, LeafClient, 'since'))).toBe('earlier');
  });

  test('the defaults are those of the snapshot', async () => {
    container.bind('tokens').toConstantValue({ getMetadata: () => ({}) });
    configureGrpcClientDefaults(container, {
      address: later.address,
      callCredentials: ['tokens'],
      unsafeUseInsecureChannelCallCredentials: true,
    });
    createGrpcClient(container, LeafClient, { name: 'meanwhile' });
    expect(await serverOf(getGrpcClient(container, LeafClient, 'meanwhile'))).toBe('later');
    container.restore();

    expect(await serverOf(getGrpcClient(container, LeafClient, 'defaulted'))).toBe('earlier');
  });
});
