import 'reflect-metadata';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { connectivityState, credentials, status } from '@grpc/grpc-js';
import {
  createGrpcChannel,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOverrides,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { deferred } from '../call/served-calls.js';
import { type CountingProxy, startCountingProxy } from '../channel/counting-proxy.js';
import { REQUEST } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';
const channelOptions = { 'grpc.use_local_subchannel_pool': 1 };

let leafServer: RunningLeaf;
beforeAll(async () => {
  leafServer = await startLeaf();
});
afterAll(async () => {
  await leafServer[Symbol.asyncDispose]();
});

let container: Container;
let factory: GrpcClientFactory;
let proxies: CountingProxy[];
beforeEach(() => {
  proxies = [];
  container = new Container();
  createGrpcClient(container, LeafClient, {
    address: 'localhost:1',
    channelOptions,
    metadata: { 'x-registered': 'yes' },
  });
  factory = container.get(GrpcClientFactory);
});
afterEach(async () => {
  await factory.close({ cancelCalls: true });
  for (const proxy of proxies) {
    await proxy[Symbol.asyncDispose]();
  }
});

async function newProxy(): Promise<CountingProxy> {
  const proxy = await startCountingProxy(leafServer.port);
  proxies.push(proxy);
  return proxy;
}

function clientAt(address: string, others: GrpcClientOverrides = {}): GrpcClient<LeafClient> {
  return factory.createClient(LeafClient, undefined, { address, ...others });
}

let calls = 0;
async function runningCall(leaf: GrpcClient<LeafClient>) {
  const caseId = `overrides ${calls++}`;
  const call = leaf.unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
  return { call, arrival: await leafServer.arrived(caseId) };
}

async function answeredCall(leaf: GrpcClient<LeafClient>): Promise<string> {
  const { call, arrival } = await runningCall(leaf);
  arrival.answer();
  return `${(await call).text}, ${String(arrival.metadata.get('x-registered')[0])}`;
}

describe('a client with an address of its own', () => {
  test('leads there, with all else from its registration', async () => {
    const proxy = await newProxy();

    expect(await answeredCall(clientAt(proxy.address))).toBe('done, yes');
    expect(await answeredCall(clientAt(`http://${proxy.address}`))).toBe('done, yes');
    expect(proxy.opened).toBe(2);
  });

  test('shares one connection with all that have the same, in whatever order they are made and called', async () => {
    const proxy = await newProxy();
    const before = [clientAt(proxy.address), clientAt(proxy.address)];
    await Promise.all(before.map(answeredCall));
    await answeredCall(clientAt(proxy.address));
    await answeredCall(factory.createClient(LeafClient, LEAF, { address: proxy.address }));

    expect(proxy.opened).toBe(1);
    await factory.close();
    await proxy.allClosed();
  });

  test('does not share it with one of other credentials', async () => {
    const proxy = await newProxy();
    const [first, second] = [credentials.createInsecure(), credentials.createInsecure()];

    for (const given of [first, second, first, undefined]) {
      await answeredCall(clientAt(proxy.address, given && { credentials: given }));
    }

    expect(proxy.opened).toBe(3);
  });

  test('does not share it with another registration', async () => {
    const proxy = await newProxy();
    createGrpcClient(container, LeafClient, { name: 'other', address: 'localhost:1', channelOptions });

    await answeredCall(clientAt(proxy.address));
    await answeredCall(factory.createClient(LeafClient, 'other', { address: proxy.address }));

    expect(proxy.opened).toBe(2);
  });

  test('needs none in its registration', async () => {
    const proxy = await newProxy();
    createGrpcClient(container, LeafClient, { name: 'tenants' });

    await answeredCall(factory.createClient(LeafClient, 'tenants', { address: proxy.address }));
    expect(() => factory.createClient(LeafClient, 'tenants')).toThrow("gRPC client 'tenants': it has no address");
  });

  test('that is none, is one on the channel of its registration', async () => {
    const proxy = await newProxy();
    createGrpcChannel(container, 'backend', { address: proxy.address, channelOptions });
    createGrpcClient(container, LeafClient, { name: 'own', address: proxy.address, channelOptions });
    createGrpcClient(container, LeafClient, { name: 'sharing', channel: 'backend' });

    for (const name of ['own', 'sharing']) {
      await answeredCall(getGrpcClient(container, LeafClient, name));
      await answeredCall(factory.createClient(LeafClient, name, {}));
      await answeredCall(factory.createClient(LeafClient, name, { address: undefined }));
    }

    expect(proxy.opened).toBe(2);
  });

  test('makes its registration a used one', async () => {
    clientAt('localhost:2');

    expect(() => createGrpcClient(container, LeafClient, { address: 'localhost:3' })).toThrow('was already used');
  });

  test('leaves the channel of its registration alone, and closing the object leaves the others', async () => {
    const proxy = await newProxy();
    const [closed, open] = [clientAt(proxy.address), clientAt(proxy.address)];
    await answeredCall(closed);

    closed.close();

    await expect(closed.unary(REQUEST)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(await answeredCall(open)).toBe('done, yes');
    expect(getGrpcClient(container, LeafClient).getChannel().getConnectivityState(false)).toBe(connectivityState.IDLE);
  });

  test('asked for through a child container, is that of the parent’s registration', async () => {
    const proxy = await newProxy();
    const child = new Container({ parent: container });
    // Without a registration of its own, a child has its parent's factory.
    createGrpcChannel(child, 'unused', { address: 'localhost:1' });

    await answeredCall(child.get(GrpcClientFactory).createClient(LeafClient, undefined, { address: proxy.address }));
    await answeredCall(clientAt(proxy.address));

    expect(proxy.opened).toBe(1);
  });
});

describe('overrides that cannot be used', () => {
  const OWNER = `gRPC client '${LEAF}': `;

  test.each<[overrides: unknown, name: string, text: string]>([
    [null, 'TypeError', "options must be an object such as { address: 'https://users:50051' }, not null"],
    [
      'localhost:1',
      'TypeError',
      "options must be an object such as { address: 'https://users:50051' }, not 'localhost:1'",
    ],
    [
      { timeoutMs: 5 },
      'TypeError',
      'one created client can have an address and credentials of its own, and no timeoutMs',
    ],
    [
      { address: () => 'localhost:1' },
      'TypeError',
      'one created client can have an address and credentials of its own, and no function as its address',
    ],
    [
      { address: 5 },
      'TypeError',
      "address must be a gRPC target such as 'dns:users:50051', an http(s) URL or a function that returns one, not 5",
    ],
    [
      { address: '' },
      'Error',
      "address is empty: write a gRPC target such as 'dns:users:50051', or a URL such as 'https://users:50051'",
    ],
    [
      { address: 'users:50051' },
      'Error',
      "address 'users:50051' says nothing of TLS: write 'https://users:50051', or add credentials: credentials.createSsl() or, for plain text, credentials.createInsecure()",
    ],
    [
      { credentials: 'tls' },
      'TypeError',
      "credentials must be ChannelCredentials of @grpc/grpc-js, such as credentials.createSsl(), not 'tls'",
    ],
    [
      { address: 'https://users', credentials: credentials.createInsecure() },
      'Error',
      "address 'https://users' is https, and the credentials are insecure: leave them out, use credentials.createSsl(), or write http",
    ],
  ])('%p', async (overrides, name, text) => {
    let thrown: unknown;
    try {
      factory.createClient(LeafClient, undefined, overrides as GrpcClientOverrides);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toMatchObject({ name, message: OWNER + text });
    createGrpcClient(container, LeafClient, { timeoutMs: 1_000 });
  });

  test('of an unknown name', () => {
    expect(() => factory.createClient(LeafClient, 'other', { address: 'localhost:1' })).toThrow(
      new Error(`gRPC client LeafClient is not registered as 'other', only as '${LEAF}'.`),
    );
  });

  test('of a client that shares its channel', () => {
    createGrpcChannel(container, 'backend', { address: 'localhost:1' });
    createGrpcClient(container, LeafClient, { name: 'sharing', channel: 'backend' });

    expect(() => factory.createClient(LeafClient, 'sharing', { address: 'localhost:2' })).toThrow(
      new Error(
        "gRPC client 'sharing': it shares the channel 'backend', and cannot be created with an address or credentials of its own: register it without channel",
      ),
    );
  });

  test('of a client without a default name', () => {
    const probe = Symbol('probe') as never;
    for (const name of ['one', 'two']) {
      createGrpcClient<object>(container, probe, { name, address: 'localhost:1', createClient: () => ({}) });
    }

    expect(() => factory.createClient(probe, undefined, { address: 'localhost:2' })).toThrow(
      "gRPC client Symbol(probe) is registered as 'one', 'two': inject one of those with @inject(Symbol(probe)) @named('one').",
    );
  });
});

describe('closing', () => {
  test('the factory closes them all: calls finish, connections go, kept clients fail', async () => {
    const proxy = await newProxy();
    const leaf = clientAt(proxy.address);
    const unused = clientAt(proxy.address, { credentials: credentials.createInsecure() });
    const { call, arrival } = await runningCall(leaf);
    let isClosed = false;

    const closed = factory.close().then(() => {
      isClosed = true;
    });
    const because = {
      code: status.UNAVAILABLE,
      details: `gRPC client '${LEAF}' is closed: GrpcClientFactory.close() was called`,
    };
    for (const late of [leaf, unused, clientAt(proxy.address), clientAt('localhost:3')]) {
      await expect(late.unary(REQUEST)).rejects.toMatchObject(because);
      expect(late.getChannel().getConnectivityState(true)).toBe(connectivityState.SHUTDOWN);
    }
    expect(isClosed).toBe(false);
    arrival.answer();
    await call;

    await closed;
    await proxy.allClosed();
    expect(proxy.opened).toBe(1);
  });

  test('the factory cancels their calls when told to', async () => {
    const proxy = await newProxy();
    const { call, arrival } = await runningCall(clientAt(proxy.address));

    await factory.close({ cancelCalls: true });

    await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
    await arrival.cancelled;
    await proxy.allClosed();
  });

  test('unbinding the class does too, and lets calls finish', async () => {
    const proxy = await newProxy();
    const leaf = clientAt(proxy.address);
    const unused = clientAt(`http://${proxy.address}`);
    const { call, arrival } = await runningCall(leaf);

    container.unbind(LeafClient);

    for (const late of [leaf, unused]) {
      await expect(late.unary(REQUEST)).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        details: `gRPC client '${LEAF}' is closed: its binding was removed from the container`,
      });
    }
    arrival.answer();
    expect((await call).text).toBe('done');
    await proxy.allClosed();
  });
});

describe('of more than a hundred addresses', () => {
  const LIMIT = 100;

  /** A server that says how many connections it has, and where: each address of 127.0.0.0/8 leads to it. */
  async function startManyAddresses() {
    const open = new Map<string, number>();
    const opened = new Map<string, number>();
    const changed: Array<() => void> = [];
    const proxy = createServer({ noDelay: true }, (downstream) => {
      const address = downstream.localAddress!;
      open.set(address, (open.get(address) ?? 0) + 1);
      opened.set(address, (opened.get(address) ?? 0) + 1);
      const upstream = connect({ port: leafServer.port, host: '127.0.0.1', noDelay: true });
      downstream.pipe(upstream).pipe(downstream);
      upstream.on('error', () => downstream.destroy());
      downstream.on('error', () => upstream.destroy());
      downstream.on('close', () => {
        upstream.destroy();
        open.set(address, open.get(address)! - 1);
        for (const notify of changed.splice(0)) {
          notify();
        }
      });
    });
    proxy.listen(0, '0.0.0.0');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    return {
      address: (i: number) => `127.0.1.${i + 1}:${port}`,
      opened: (i: number) => opened.get(`127.0.1.${i + 1}`) ?? 0,
      isOpen: (i: number) => (open.get(`127.0.1.${i + 1}`) ?? 0) > 0,
      countOpen: () => [...open.values()].reduce((sum, count) => sum + count, 0),
      async settled(condition: () => boolean) {
        while (!condition()) {
          const { promise, resolve } = deferred();
          changed.push(resolve);
          await promise;
        }
      },
      close: () => proxy.close(),
    };
  }

  test('the least recently used one is disconnected, and connects again for a client that was kept', async () => {
    const many = await startManyAddresses();
    const leaves = Array.from({ length: LIMIT + 2 }, (_, i) => clientAt(many.address(i)));
    for (const leaf of leaves.slice(0, LIMIT)) {
      await answeredCall(leaf);
    }
    expect(many.countOpen()).toBe(LIMIT);
    await answeredCall(leaves[0]!);
    const { call, arrival } = await runningCall(leaves[1]!);
    await answeredCall(leaves[3]!);

    await answeredCall(leaves[LIMIT]!);
    await many.settled(() => !many.isOpen(2));
    await answeredCall(leaves[LIMIT + 1]!);
    await many.settled(() => !many.isOpen(4));

    expect(many.countOpen()).toBe(LIMIT);
    expect([0, 1, 3, 5].map(many.isOpen)).toEqual([true, true, true, true]);

    expect(await answeredCall(leaves[2]!)).toBe('done, yes');
    await answeredCall(clientAt(many.address(2)));
    expect(many.opened(2)).toBe(2);
    await many.settled(() => !many.isOpen(5));
    arrival.answer();
    await call;
    await factory.close();
    await many.settled(() => many.countOpen() === 0);
    await expect(leaves[5]!.unary(REQUEST)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    many.close();
  }, 30_000);

  test('busy ones stay connected, and go once they are not', async () => {
    const many = await startManyAddresses();
    const running = await Promise.all(
      Array.from({ length: LIMIT + 20 }, (_, i) => runningCall(clientAt(many.address(i)))),
    );
    expect(many.countOpen()).toBe(LIMIT + 20);

    for (const { call, arrival } of running) {
      arrival.answer();
      await call;
    }
    await answeredCall(clientAt(many.address(LIMIT + 20)));

    await many.settled(() => many.countOpen() === LIMIT);
    await factory.close();
    await many.settled(() => many.countOpen() === 0);
    many.close();
  }, 30_000);
});
