import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket, type Server as TcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { connectivityState, InterceptingCall, type Interceptor, status } from '@grpc/grpc-js';
import {
  createGrpcChannel,
  createGrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, RelayClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable } from 'inversify';
import { type CountingProxy, startCountingProxy } from '../channel/counting-proxy.js';
import { REQUEST } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';
const RELAY = 'grpc_di.test.v1.Relay';
const channelOptions = { 'grpc.use_local_subchannel_pool': 1 };

let leafServer: RunningLeaf;
let deaf: TcpServer;
/** Accepts connections and never says a word. */
let deafAddress: string;
const deafSockets: Socket[] = [];
beforeAll(async () => {
  leafServer = await startLeaf();
  deaf = createServer((socket) => {
    deafSockets.push(socket.on('error', () => {}));
  }).listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  deafAddress = `127.0.0.1:${(deaf.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await leafServer[Symbol.asyncDispose]();
  deaf.close();
  for (const socket of deafSockets) {
    socket.destroy();
  }
});

let proxy: CountingProxy;
let container: Container;
let factory: GrpcClientFactory;
beforeEach(async () => {
  proxy = await startCountingProxy(leafServer.port);
  container = new Container();
  createGrpcClient(container, LeafClient, { address: proxy.address, channelOptions });
  factory = container.get(GrpcClientFactory);
});
afterEach(async () => {
  await factory.close({ cancelCalls: true });
  await proxy[Symbol.asyncDispose]();
});

let calls = 0;
async function runningCall(client = getGrpcClient(container, LeafClient)) {
  const caseId = `factory ${calls++}`;
  const call = client.unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
  return { call, arrival: await leafServer.arrived(caseId) };
}

test('is injectable', () => {
  @injectable()
  class Consumer {
    constructor(@inject(GrpcClientFactory) readonly factory: GrpcClientFactory) {}
  }
  expect(container.get(Consumer, { autobind: true }).factory).toBe(factory);
});

describe.each<[string, { address?: string } | undefined]>([
  ['without overrides', undefined],
  ['with overrides', { address: 'http://127.0.0.1:1' }],
])('createClient %s', (_name, overrides) => {
  test('makes clients of what the container has that the factory was asked of', () => {
    const made: string[] = [];
    const making = (whose: string) => () => {
      made.push(whose);
      return { intercept: ((options, nextCall) => new InterceptingCall(nextCall(options))) as Interceptor };
    };
    createGrpcClient(container, RelayClient, {
      address: proxy.address,
      interceptors: [{ interceptor: 'auth', scope: 'client' }],
    });
    container.bind('auth').toDynamicValue(making('own'));
    const child = new Container({ parent: container });
    child.bind('auth').toDynamicValue(making('child'));

    child.get(GrpcClientFactory).createClient(RelayClient, undefined, overrides);
    factory.createClient(RelayClient, undefined, overrides);

    expect(made).toEqual(['child', 'own']);
    expect(child.get(GrpcClientFactory)).toBe(child.get(GrpcClientFactory));
  });
});

describe('getChannel', () => {
  test('gives the channel that the clients of the name use', async () => {
    const channel = factory.getChannel(LEAF);
    expect(channel.getTarget()).toBe(`dns:${proxy.address}`);
    expect(channel.getConnectivityState(false)).toBe(connectivityState.IDLE);

    const { call, arrival } = await runningCall();
    arrival.answer();
    await call;

    expect(channel.getConnectivityState(false)).toBe(connectivityState.READY);
    expect(factory.getChannel(LEAF)).toBe(channel);
  });

  test('of an unknown name is an error that lists those that there are', () => {
    createGrpcClient(container, RelayClient, { address: proxy.address });

    expect(() => factory.getChannel('Leaf')).toThrow(
      new Error(`gRPC client or channel 'Leaf' is not registered; there are '${LEAF}', '${RELAY}'`),
    );
  });

  test('after close() is an error, and opens nothing', async () => {
    await factory.close();

    expect(() => factory.getChannel(LEAF)).toThrow(
      new Error(`gRPC client '${LEAF}' is closed: GrpcClientFactory.close() was called`),
    );
  });
});

describe('validate', () => {
  test('is silent when every registration resolves, and connects to none', () => {
    factory.validate();
    expect(proxy.opened).toBe(0);
  });

  test('lists all faults in one error', () => {
    createGrpcClient(container, LeafClient, { name: 'plain', address: 'users:50051' });
    createGrpcClient(container, RelayClient);
    createGrpcClient(container, RelayClient, {
      name: 'throws',
      address: () => {
        throw new Error('no route');
      },
    });
    const faults = [
      "gRPC client 'plain': address 'users:50051' says nothing of TLS: write 'https://users:50051', or add credentials: credentials.createSsl() or, for plain text, credentials.createInsecure()",
      `gRPC client '${RELAY}': it has no address: write createGrpcClient(container, RelayClient, { address: 'https://users:50051' })`,
      "gRPC client 'throws': its address function threw: no route",
    ];

    let error: unknown;
    try {
      factory.validate();
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).message).toBe(
      `3 gRPC client(s) cannot be used:\n${faults.map((fault) => `- ${fault}`).join('\n')}`,
    );
    expect((error as AggregateError).errors.map(({ message }: Error) => message)).toEqual(faults);
  });
});

describe('waitForReady', () => {
  test('connects all clients, and resolves when they are', async () => {
    createGrpcClient(container, RelayClient, { address: proxy.address, channelOptions });

    await factory.waitForReady();

    expect(proxy.opened).toBe(2);
    expect(factory.getChannel(LEAF).getConnectivityState(false)).toBe(connectivityState.READY);
    await factory.waitForReady({ timeoutMs: 0 });
  });

  test('connects those that it is told to alone', async () => {
    createGrpcClient(container, RelayClient, { address: deafAddress, channelOptions });

    await factory.waitForReady({ names: [LEAF] });
    await factory.waitForReady({ names: [] });

    expect(proxy.opened).toBe(1);
  });

  test('rejects after the timeout, and lists those that are not ready', async () => {
    createGrpcClient(container, RelayClient, { address: deafAddress });
    createGrpcClient(container, RelayClient, { name: 'plain', address: 'users:50051' });

    const waiting = factory.waitForReady({ timeoutMs: 100 });

    await expect(waiting).rejects.toThrow(
      '2 gRPC client(s) are not ready:\n' +
        `- gRPC client '${RELAY}' could not connect to dns:${deafAddress} in time: it is CONNECTING\n` +
        "- gRPC client 'plain': address 'users:50051' says nothing of TLS",
    );
    await expect(waiting).rejects.toBeInstanceOf(AggregateError);
  });

  test('rejects for an unknown name', async () => {
    await expect(factory.waitForReady({ names: [LEAF, 'Leaf'] })).rejects.toThrow(
      `gRPC client or channel 'Leaf' is not registered; there are '${LEAF}'`,
    );
    expect(proxy.opened).toBe(0);
  });

  test('rejects when the factory is closed, before or meanwhile', async () => {
    createGrpcClient(container, RelayClient, { address: deafAddress });
    const waiting = factory.waitForReady({ names: [RELAY], timeoutMs: 60_000 });
    await once(deaf, 'connection');

    await factory.close();

    await expect(waiting).rejects.toThrow(`gRPC client '${RELAY}' is closed: GrpcClientFactory.close() was called`);
    await expect(factory.waitForReady()).rejects.toThrow('GrpcClientFactory.close() was called');
  });

  test('rejects when the class is unbound meanwhile', async () => {
    createGrpcClient(container, RelayClient, { address: deafAddress });
    const waiting = factory.waitForReady({ names: [RELAY], timeoutMs: 60_000 });
    await once(deaf, 'connection');

    container.unbind(RelayClient);

    await expect(waiting).rejects.toThrow(`gRPC client '${RELAY}' is closed: its binding was removed`);
  });

  test.each([
    [Number.NaN, 'NaN'],
    ['500', "'500'"],
    [null, 'null'],
  ])('rejects a timeoutMs of %p', async (timeoutMs, shown) => {
    const waiting = factory.waitForReady({ timeoutMs: timeoutMs as number });

    await expect(waiting).rejects.toThrow(TypeError);
    await expect(waiting).rejects.toThrow(
      `GrpcClientFactory.waitForReady: timeoutMs must be a number of milliseconds (Infinity for no deadline), not ${shown}`,
    );
    expect(proxy.opened).toBe(0);
  });

  test.each([Infinity, 2 ** 31, 1e15])('can wait for %p ms', async (timeoutMs) => {
    createGrpcClient(container, RelayClient, { address: deafAddress });
    let isOver = false;
    const waiting = factory.waitForReady({ timeoutMs }).catch(() => {
      isOver = true;
    });
    await once(deaf, 'connection');
    await factory.waitForReady({ names: [LEAF] });
    expect(isOver).toBe(false);

    await factory.close();
    await waiting;
  });
});

describe('close', () => {
  test('fails new calls of all clients, those injected before too', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    await factory.close();
    const closed = {
      code: status.UNAVAILABLE,
      details: `gRPC client '${LEAF}' is closed: GrpcClientFactory.close() was called`,
    };

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject(closed);
    await expect(getGrpcClient(container, LeafClient).unary(REQUEST)).rejects.toMatchObject(closed);
    expect(leaf.getChannel().getConnectivityState(true)).toBe(connectivityState.SHUTDOWN);
    expect(proxy.opened).toBe(0);
  });

  test('waits for running calls, and closes the connections then', async () => {
    const { call, arrival } = await runningCall();
    let isClosed = false;

    const closed = factory.close().then(() => {
      isClosed = true;
    });
    await expect(getGrpcClient(container, LeafClient).unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    expect(isClosed).toBe(false);
    arrival.answer();

    expect((await call).text).toBe('done');
    await closed;
    await proxy.allClosed();
  });

  test('waits for calls that still wait for a connection', async () => {
    createGrpcClient(container, RelayClient, { address: deafAddress });
    const call = getGrpcClient(container, RelayClient).unary(REQUEST, { timeoutMs: 100, waitForReady: true });

    const closed = factory.close();

    await expect(call).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await closed;
  });

  test('cancels running calls when told to, at the server too', async () => {
    const { call, arrival } = await runningCall();

    await factory.close({ cancelCalls: true });

    await expect(call).rejects.toMatchObject({
      code: status.CANCELLED,
      details: `Cancelled: gRPC client '${LEAF}' is closed: GrpcClientFactory.close() was called`,
    });
    await arrival.cancelled;
    await proxy.allClosed();
  });

  test('can lose its patience', async () => {
    const { call } = await runningCall();
    const patient = factory.close();

    await factory.close({ cancelCalls: true });

    await patient;
    await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
  });

  test('closes a client that was never used, and can be called again', async () => {
    await factory.close();
    await factory.close();
    expect(proxy.opened).toBe(0);
  });

  test('leaves the clients of a parent container alone', async () => {
    const child = new Container({ parent: container });
    createGrpcClient(child, RelayClient, { address: proxy.address });
    await child.get(GrpcClientFactory).close();

    const { call, arrival } = await runningCall(getGrpcClient(child, LeafClient));
    arrival.answer();
    expect((await call).text).toBe('done');
  });

  test('is what `await using` does', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    {
      await using _factory = factory;
    }

    await expect(leaf.unary(REQUEST)).rejects.toThrow('GrpcClientFactory.close() was called');
  });

  test('inside a call cancels that', async () => {
    await runInCallContext({}, async () => {
      const { call } = await runningCall();
      await factory.close({ cancelCalls: true });
      await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
    });
  });
});

describe('close of some', () => {
  beforeEach(() => {
    createGrpcClient(container, LeafClient, { name: 'other', address: proxy.address, channelOptions });
    createGrpcClient(container, LeafClient, { name: 'third', address: proxy.address, channelOptions });
  });

  test('lets the calls of these finish, and leaves the rest alone', async () => {
    const other = getGrpcClient(container, LeafClient, 'other');
    const running = [await runningCall(), await runningCall(other)];
    let isClosed = false;

    const closed = factory.close({ names: [LEAF, 'third'] }).then(() => {
      isClosed = true;
    });

    for (const name of [LEAF, 'third']) {
      await expect(getGrpcClient(container, LeafClient, name).unary(REQUEST)).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        details: `gRPC client '${name}' is closed: GrpcClientFactory.close() was called`,
      });
    }
    expect(isClosed).toBe(false);
    running[0]!.arrival.answer();
    await closed;
    const late = await runningCall(other);
    for (const { call, arrival } of [running[1]!, late]) {
      arrival.answer();
      expect((await call).text).toBe('done');
    }
  });

  test('cancels the calls of these alone', async () => {
    const cancelled = await runningCall();
    const kept = await runningCall(getGrpcClient(container, LeafClient, 'other'));

    await factory.close({ names: [LEAF], cancelCalls: true });

    await expect(cancelled.call).rejects.toMatchObject({ code: status.CANCELLED });
    kept.arrival.answer();
    expect((await kept.call).text).toBe('done');
  });

  test('lasts, also for waitForReady, and what is closed stays so for a later close of all', async () => {
    await factory.close({ names: ['third'] });
    await factory.close({ names: ['third'] });

    await expect(factory.waitForReady()).rejects.toThrow(
      "1 gRPC client(s) are not ready:\n- gRPC client 'third' is closed: GrpcClientFactory.close() was called",
    );
    await factory.waitForReady({ names: [LEAF, 'other'] });
    expect(() => createGrpcClient(container, LeafClient, { name: 'third', address: 'localhost:1' })).toThrow(
      "gRPC client 'third' was already used, and cannot be registered again",
    );
    await factory.close();
    await proxy.allClosed();
  });

  test('closes nothing for an empty list', async () => {
    await factory.close({ names: [] });

    await factory.waitForReady();
  });

  test('closes nothing where one name is unknown', async () => {
    await expect(factory.close({ names: ['other', 'Leaf'] })).rejects.toThrow(
      new Error(`gRPC client or channel 'Leaf' is not registered; there are '${LEAF}', 'other', 'third'`),
    );

    await factory.waitForReady();
  });

  test('of a name that a client and a channel have, closes both', async () => {
    createGrpcChannel(container, 'shared', { address: proxy.address, channelOptions });
    createGrpcClient(container, RelayClient, { name: 'shared', channel: 'shared' });
    createGrpcClient(container, LeafClient, { name: 'on it', channel: 'shared' });
    const { call, arrival } = await runningCall(getGrpcClient(container, LeafClient, 'on it'));

    const closed = factory.close({ names: ['shared'] });
    await expect(getGrpcClient(container, LeafClient, 'on it').unary(REQUEST)).rejects.toMatchObject({
      details: "gRPC channel 'shared' is closed: GrpcClientFactory.close() was called",
    });
    arrival.answer();

    await closed;
    await call;
  });
});

test('a factory whose clients were all unbound knows no name', () => {
  container.unbind(LeafClient);

  expect(() => factory.getChannel(LEAF)).toThrow(
    new Error(`gRPC client or channel '${LEAF}' is not registered; there are none`),
  );
  factory.validate();
});

describe('a process', () => {
  test.each([
    ['that closed its factory while a client was connecting ends at once', 'connecting'],
    ['that closed its factory while it waited for it to be ready ends at once', 'waiting'],
    ['that closed its factory with calls that it cancelled ends at once', 'cancelled'],
    ['that closed its factory while providers of credentials were asked ends at once', 'credentials'],
    ['that closed one client of a shared channel ends at once', 'shared'],
  ])(
    '%s',
    async (_title, scenario) => {
      const path = fileURLToPath(new URL('./fixtures/close-and-end.js', import.meta.url));
      const child = spawn(process.execPath, [path, scenario, deafAddress, proxy.address], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let closedAt = 0;
      child.stdout.once('data', () => {
        closedAt = Date.now();
      });

      const [exitCode] = (await once(child, 'exit')) as [number];

      expect(exitCode).toBe(0);
      expect(closedAt).toBeGreaterThan(0);
      // Half of the shortest of grpc-js's timers that would hold it: the 20 s that it gives a connection.
      expect(Date.now() - closedAt).toBeLessThan(10_000);
    },
    60_000,
  );
});
