import 'reflect-metadata';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { InterceptingCall, status } from '@grpc/grpc-js';
import {
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcInterceptor,
  getGrpcClient,
  grpcClientModule,
} from '@grpc-di/client-factory';
import { LeafClient, RelayClient, type RunningServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable, named } from 'inversify';
import { serverOf, startNamedServer } from './named-server.js';

let east: RunningServer;
let west: RunningServer;
beforeAll(async () => {
  east = await startNamedServer('east');
  west = await startNamedServer('west');
});
afterAll(async () => {
  await east[Symbol.asyncDispose]();
  await west[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
});
afterEach(async () => {
  if (container.isBound(GrpcClientFactory)) {
    await container.get(GrpcClientFactory).close();
  }
});

const leafModule = (address = east.address) => grpcClientModule((add) => add(LeafClient, { address }));

test('its clients are injected, by class and by name', async () => {
  @injectable()
  class Consumer {
    constructor(
      @inject(LeafClient) readonly bare: GrpcClient<LeafClient>,
      @inject(LeafClient) @named('west') readonly west: GrpcClient<LeafClient>,
    ) {}
  }
  container.load(
    grpcClientModule((add) => {
      add(LeafClient, { address: east.address });
      add(LeafClient, { name: 'west', address: () => west.address });
    }),
  );

  const consumer = container.get(Consumer, { autobind: true });

  expect(await serverOf(consumer.bare)).toBe('east');
  expect(await serverOf(consumer.west)).toBe('west');
  expect(await serverOf(container.get(GrpcClientFactory).createClient(LeafClient, 'west'))).toBe('west');
});

test('registering a client again merges', async () => {
  container.load(
    grpcClientModule((add) => {
      add(LeafClient, { timeoutMs: 0 });
      add(LeafClient, { address: east.address });
    }),
  );

  await expect(serverOf(getGrpcClient(container, LeafClient))).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
  });
});

test('unloading it closes the channels, and loading it again opens new ones', async () => {
  const module = leafModule();
  container.load(module);
  const before = getGrpcClient(container, LeafClient);
  await serverOf(before);

  container.unload(module);
  await turnOfEventLoop();

  await expect(serverOf(before)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(container.isBound(LeafClient)).toBe(false);
  expect(container.isBound(GrpcClientFactory)).toBe(false);

  container.load(module);
  expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('east');
  await expect(serverOf(before)).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test('unloading it closes a channel that no client was resolved for', async () => {
  const module = leafModule();
  container.load(module);
  const factory = container.get(GrpcClientFactory);
  await factory.waitForReady();
  const channel = factory.getChannel('grpc_di.test.v1.Leaf');

  container.unload(module);
  await turnOfEventLoop();

  expect(() => channel.getConnectivityState(false)).not.toThrow();
  expect(channel.getConnectivityState(false)).toBe(4);
});

test('unbinding its class closes its channel', async () => {
  container.load(leafModule());
  const client = getGrpcClient(container, LeafClient);
  await serverOf(client);

  container.unbind(LeafClient);

  await expect(serverOf(client)).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test('a client is made in the request that asks, from the container that asks', async () => {
  const Request = Symbol('Request');
  @injectable()
  class Tagging implements GrpcInterceptor {
    constructor(@inject(Request) readonly request: object) {}
    readonly intercept: GrpcInterceptor['intercept'] = (options, nextCall) => {
      seen.push(this.request);
      return new InterceptingCall(nextCall(options));
    };
  }
  @injectable()
  class Consumer {
    constructor(
      @inject(Request) readonly request: object,
      @inject(LeafClient) readonly leaf: GrpcClient<LeafClient>,
    ) {}
  }
  const seen: object[] = [];
  container.bind(Tagging).toSelf();
  container.load(
    grpcClientModule((add) => {
      add(LeafClient, { address: east.address, interceptors: [{ interceptor: Tagging, scope: 'client' }] });
    }),
  );
  const child = new Container({ parent: container });
  child
    .bind(Request)
    .toDynamicValue(() => ({}))
    .inRequestScope();

  const [first, second] = [child.get(Consumer, { autobind: true }), child.get(Consumer, { autobind: true })];
  await serverOf(first.leaf);
  await serverOf(second.leaf);

  expect(seen).toEqual([first.request, second.request]);
  expect(seen[0]).toBe(first.request);
  expect(seen[1]).toBe(second.request);
  expect(first.request).not.toBe(second.request);
});

describe('beside other registrations', () => {
  test('the factory knows all of the container, and none of the parent', async () => {
    createGrpcClient(container, RelayClient, { address: 'http://parent' });
    const child = new Container({ parent: container });
    const one = leafModule();
    const two = grpcClientModule((add) => add(RelayClient, { name: 'relay', address: west.address }));
    child.load(one);
    child.load(two);

    const factory = child.get(GrpcClientFactory);

    expect(() => factory.getChannel('unknown')).toThrow(
      "gRPC client or channel 'unknown' is not registered; there are 'grpc_di.test.v1.Leaf', 'relay'",
    );
    child.unload(one);
    expect(() => child.get(GrpcClientFactory).getChannel('unknown')).toThrow("there are 'relay'");
    await child.get(GrpcClientFactory).close();
    expect(container.get(GrpcClientFactory).getChannel('grpc_di.test.v1.Relay')).toBeDefined();
  });

  test('createGrpcClient and a module serve one container', async () => {
    createGrpcClient(container, RelayClient, { address: west.address });
    container.load(leafModule());

    const factory = container.get(GrpcClientFactory);

    expect(factory).toBe(container.get(GrpcClientFactory));
    expect(await serverOf(factory.createClient(LeafClient))).toBe('east');
    await factory.waitForReady();
    const client = getGrpcClient(container, LeafClient);
    await factory.close();
    await expect(serverOf(client)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test.each<[string, () => void]>([
    ['createGrpcClient', () => createGrpcClient(container, LeafClient, { address: 'http://other' })],
    ['another module', () => container.load(leafModule())],
  ])('a class that %s has is an error, and nothing changes', (_name, registerBefore) => {
    registerBefore();
    const before = container.get(GrpcClientFactory).getChannel('grpc_di.test.v1.Leaf');

    expect(() => container.load(leafModule())).toThrow(
      new Error(
        'grpcClientModule: gRPC client LeafClient is already registered in the container, by createGrpcClient or another module',
      ),
    );

    expect(container.get(GrpcClientFactory).getChannel('grpc_di.test.v1.Leaf')).toBe(before);
  });

  test('a name that another class has is an error, whichever comes first, and nothing changes', () => {
    const taken =
      "gRPC client 'shared' is already registered with another class (LeafClient): give one of the two a name of its own, " +
      "createGrpcClient(container, RelayClient, { name: '...' })";
    const module = grpcClientModule((add) => add(LeafClient, { name: 'shared', address: east.address }));
    container.load(module);

    expect(() => createGrpcClient(container, RelayClient, { name: 'shared' })).toThrow(new Error(taken));
    expect(() => container.load(grpcClientModule((add) => add(RelayClient, { name: 'shared' })))).toThrow(
      new Error(taken),
    );

    expect(container.isBound(RelayClient)).toBe(false);
    container.unload(module);
    expect(container.isBound(GrpcClientFactory)).toBe(false);
    createGrpcClient(container, RelayClient, { name: 'shared', address: west.address });
  });

  test("a child's module replaces the parent's clients of that class", async () => {
    createGrpcClient(container, LeafClient, { address: west.address });
    const child = new Container({ parent: container });
    child.load(leafModule());

    expect(await serverOf(getGrpcClient(child, LeafClient))).toBe('east');
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('west');
    await child.get(GrpcClientFactory).close();
  });
});

test.each<[string, () => void, string]>([
  [
    'a wrong option',
    () => container.load(grpcClientModule((add) => add(LeafClient, { adress: '' } as never))),
    `gRPC client 'grpc_di.test.v1.Leaf': unknown option "adress"`,
  ],
  [
    'no class',
    () => container.load(grpcClientModule((add) => add({} as never))),
    'createGrpcClient: {} is no generated gRPC client class',
  ],
  ['no function', () => grpcClientModule(undefined as never), 'grpcClientModule: configure must be a function'],
])('%s is an error, and nothing is bound', (_name, load, text) => {
  expect(load).toThrow(text);
  expect(container.isBound(LeafClient)).toBe(false);
  expect(container.isBound(GrpcClientFactory)).toBe(false);
});
