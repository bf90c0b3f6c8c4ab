import 'reflect-metadata';
import { type Channel, credentials } from '@grpc/grpc-js';
import { createGrpcClient, type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { LeafClient, RelayClient, type RunningServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { serverOf, startNamedServer } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';

/** A client that is no generated one. */
class Probe {
  readonly leaf: GrpcClient<LeafClient>;

  constructor(channel: Channel) {
    this.leaf = new LeafClient('', credentials.createInsecure(), {
      channelOverride: channel,
    }) as unknown as GrpcClient<LeafClient>;
  }

  ask(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.leaf.unary({ id: '', script: '', path: [] }, (error, reply) =>
        error ? reject(error) : resolve(reply.text),
      );
    });
  }
}

let first: RunningServer;
let second: RunningServer;
beforeAll(async () => {
  [first, second] = await Promise.all([startNamedServer('first'), startNamedServer('second')]);
});
afterAll(async () => {
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
});
afterEach(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
});

const probe = (on: Container, name: string, address: string): void =>
  createGrpcClient(on, Probe, { name, address, createClient: (channel) => new Probe(channel) });

describe('a name', () => {
  test.each<[title: string, register: Array<() => void>, text: string]>([
    [
      'of a generated class is not free for another identifier',
      [
        () => createGrpcClient(container, LeafClient, { address: 'localhost:1' }),
        () => probe(container, LEAF, 'localhost:1'),
      ],
      `gRPC client '${LEAF}' is already registered with another class (LeafClient): give one of the two a name of its own, createGrpcClient(container, Probe, { name: '...' })`,
    ],
    [
      'of another identifier is not free for a generated class',
      [
        () => probe(container, LEAF, 'localhost:1'),
        () => createGrpcClient(container, LeafClient, { address: 'localhost:1' }),
      ],
      `gRPC client '${LEAF}' is already registered with another class (Probe): give one of the two a name of its own, createGrpcClient(container, LeafClient, { name: '...' })`,
    ],
    [
      'of one identifier is not free for another one',
      [
        () => probe(container, 'probe', 'localhost:1'),
        () =>
          createGrpcClient<object>(container, Symbol('probe') as never, {
            name: 'probe',
            address: 'localhost:1',
            createClient: () => ({}),
          }),
      ],
      "gRPC client 'probe' is already registered with another class (Probe): give one of the two a name of its own, createGrpcClient(container, Symbol(probe), { name: '...' })",
    ],
  ])('%s', (_title, [register, registerAgain], text) => {
    register!();

    expect(registerAgain!).toThrow(new Error(text));
    container.get(GrpcClientFactory).validate();
  });

  test('is free in a child container, for that one', async () => {
    createGrpcClient(container, LeafClient, { name: 'backend', address: first.address });
    const child = new Container({ parent: container });
    probe(child, 'backend', second.address);

    expect(await serverOf(getGrpcClient(child, LeafClient, 'backend'))).toBe('first');
    expect(await child.get(Probe, { name: 'backend' }).ask()).toBe('second');
    await child.get(GrpcClientFactory).close({ names: ['backend'] });
    expect(await serverOf(getGrpcClient(container, LeafClient, 'backend'))).toBe('first');
  });

  test('is free again once the class that had it was unbound', async () => {
    probe(container, LEAF, first.address);
    await container.get(Probe, { name: LEAF }).ask();
    container.unbind(Probe);

    createGrpcClient(container, LeafClient, { address: second.address });

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('second');
    expect(container.get(GrpcClientFactory).getChannel(LEAF).getTarget()).toBe(`dns:${second.address}`);
  });

  test('of another class is unknown to a class', () => {
    createGrpcClient(container, LeafClient, { address: first.address });
    createGrpcClient(container, RelayClient, { name: 'relay', address: first.address });
    const text = `gRPC client LeafClient is not registered as 'relay', only as '${LEAF}'.`;

    expect(() => getGrpcClient(container, LeafClient, 'relay')).toThrow(new Error(text));
    expect(() => container.get(GrpcClientFactory).createClient(LeafClient, 'relay')).toThrow(new Error(text));
  });
});

describe('identifiers beside classes', () => {
  test('have clients of their own, under their names alone', async () => {
    createGrpcClient(container, LeafClient, { address: first.address });
    probe(container, 'one', first.address);
    probe(container, 'two', second.address);

    expect(await container.get(Probe, { name: 'one' }).ask()).toBe('first');
    expect(await container.get(Probe, { name: 'two' }).ask()).toBe('second');
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('first');
    expect(() => container.get(Probe)).toThrow(
      "gRPC client Probe is registered as 'one', 'two': inject one of those with @inject(Probe) @named('one').",
    );
    expect(() => container.get(Probe, { name: 'three' })).toThrow(
      "gRPC client Probe is not registered under the name or tag that was asked for, only as 'one', 'two'.",
    );
  });

  test('are waited for and closed as the others are', async () => {
    createGrpcClient(container, LeafClient, { address: first.address });
    probe(container, 'probe', second.address);
    const factory = container.get(GrpcClientFactory);
    const kept = container.get(Probe, { name: 'probe' });

    await factory.waitForReady();
    await kept.ask();
    await factory.close({ names: ['probe'] });

    await expect(kept.ask()).rejects.toThrow("gRPC client 'probe' is closed: GrpcClientFactory.close() was called");
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('first');
  });
});
