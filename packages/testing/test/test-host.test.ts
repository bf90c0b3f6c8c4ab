import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { credentials, Server, type ServiceError, status } from '@grpc/grpc-js';
import {
  CallContextNotFoundError,
  createGrpcClient,
  currentCallContext,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  requireCallContext,
  runInCallContext,
} from '@grpc-di/client-factory';
import type { GrpcService, ServerCallContext } from '@grpc-di/server';
import {
  LeafClient,
  LeafService,
  RelayClient,
  type RelayReply,
  type RelayRequest,
  type RelayServer,
  RelayService,
} from '@grpc-di/test-rig';
import { fakeCallContext, startTestHost, type TestHost, type TestHostSetup } from '@grpc-di/testing';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Container, inject, injectable } from 'inversify';
import { Container as Container7 } from 'inversify-7';

const REQUEST: RelayRequest = { id: 'request', script: '', path: [] };

/** How long a call was to take that waits for its end, in ms. */
const FAR_MS = 60_000;

/** The contexts of the calls that reached the leaf and wait. */
let waiting: ServerCallContext[] = [];

afterEach(() => {
  jest.useRealTimers();
  waiting = [];
  jest.restoreAllMocks();
});

@injectable()
class Leaf implements Partial<GrpcService<RelayServer>> {
  async unary(request: RelayRequest, context: ServerCallContext): Promise<RelayReply> {
    if (request.script === 'wait') {
      waiting.push(context);
      await once(context.signal, 'abort');
      context.throwIfCancelled();
    }
    return { id: 'leaf', text: String(context.requestMetadata.get('x-request-id')), deadline: context.deadline };
  }

  async *serverStream(): AsyncGenerator<RelayReply> {
    for (let id = 0; ; id++) {
      yield { id: `${id}`, text: '', deadline: 0 };
      await turnOfEventLoop();
    }
  }
}

@injectable()
class Relay implements Partial<GrpcService<RelayServer>> {
  constructor(@inject(LeafClient) private readonly leaf: GrpcClient<LeafClient>) {}

  async unary(request: RelayRequest): Promise<RelayReply> {
    const reply = await this.leaf.unary(request);
    return { ...reply, id: `relayed ${reply.id}` };
  }
}

function both({ addService, addClient }: TestHostSetup): void {
  addService(LeafService, Leaf);
  addService(RelayService, Relay);
  addClient(LeafClient);
  addClient(RelayClient);
}

function leafOnly({ addService, addClient }: TestHostSetup): void {
  addService(LeafService, Leaf);
  addClient(LeafClient);
}

async function waitingCall(): Promise<ServerCallContext> {
  while (waiting.length === 0) {
    await turnOfEventLoop();
  }
  return waiting[0]!;
}

async function errorOf(promise: Promise<unknown>): Promise<ServiceError & { cause?: unknown }> {
  try {
    await promise;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('nothing failed');
}

async function isListening(address: string): Promise<boolean> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test.each([
  ['8', Container],
  ['7', Container7 as unknown as typeof Container],
])('hosts an injectable class, and injects its client, with inversify %s', async (_, AnyContainer) => {
  const container = new AnyContainer();
  const host = await startTestHost(container, leafOnly);
  const client = getGrpcClient(container, LeafClient);

  expect(await client.unary(REQUEST)).toMatchObject({ id: 'leaf' });

  await host[Symbol.asyncDispose]();
  expect(container.isBound(LeafClient)).toBe(false);
  expect((await errorOf(client.unary(REQUEST))).details).toBe(
    "gRPC client 'grpc_di.test.v1.Leaf' is closed: its test host was disposed",
  );
});

test('runs beside fake timers that leave the event loop its turns', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const container = new Container();
  await using _ = await startTestHost(container, leafOnly);

  expect(await getGrpcClient(container, LeafClient).unary(REQUEST)).toMatchObject({ id: 'leaf' });
});

test('its address is there for clients of any other kind', async () => {
  await using host = await startTestHost(new Container(), leafOnly);
  const bare = new LeafClient(host.address, credentials.createInsecure());

  const reply = await new Promise((resolve, reject) => {
    bare.unary(REQUEST, (error, response) => (error === null ? resolve(response) : reject(error)));
  });

  expect(host.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(reply).toMatchObject({ id: 'leaf' });
  bare.close();
});

describe('services that call each other', () => {
  test('reach each other', async () => {
    const container = new Container();
    await using _ = await startTestHost(container, both);

    expect(await getGrpcClient(container, RelayClient).unary(REQUEST)).toMatchObject({ id: 'relayed leaf' });
  });

  test('inherit the deadline of the call that they serve, and that the one of the test', async () => {
    const container = new Container();
    await using _ = await startTestHost(container, both);
    const relay = getGrpcClient(container, RelayClient);

    const context = fakeCallContext({ timeoutMs: FAR_MS });
    const [inherited, own, none] = await Promise.all([
      context.run(() => relay.unary(REQUEST)),
      relay.unary(REQUEST, { timeoutMs: FAR_MS }),
      relay.unary(REQUEST),
    ]);

    expect(inherited.deadline - Date.now()).toBeLessThan(FAR_MS + 1_000);
    expect(own.deadline - Date.now()).toBeLessThan(FAR_MS + 1_000);
    expect(none.deadline).toBe(Infinity);
  });

  test('are cancelled with the call that they serve', async () => {
    const container = new Container();
    await using _ = await startTestHost(container, both);
    const context = fakeCallContext();
    const call = context.run(() => getGrpcClient(container, RelayClient).unary({ ...REQUEST, script: 'wait' }));
    const { signal } = await waitingCall();

    context.cancel();

    expect((await errorOf(call)).code).toBe(status.CANCELLED);
    if (!signal.aborted) {
      await once(signal, 'abort');
    }
  });
});

describe('the options of a client', () => {
  test('win over those of the host', async () => {
    const container = new Container();
    await using _ = await startTestHost(container, ({ addService, addClient }) => {
      addService(LeafService, Leaf);
      addClient(LeafClient, { enableCallContextPropagation: true });
      addClient(LeafClient, { name: 'off', enableCallContextPropagation: false });
      addClient(LeafClient, { name: 'elsewhere', address: '127.0.0.1:1' });
    });
    const context = fakeCallContext({ timeoutMs: FAR_MS });

    expect(() => getGrpcClient(container, LeafClient).unary(REQUEST)).toThrow(CallContextNotFoundError);
    const off = getGrpcClient(container, LeafClient, 'off');
    expect((await context.run(() => off.unary(REQUEST))).deadline).toBe(Infinity);
    const elsewhere = getGrpcClient(container, LeafClient, 'elsewhere');
    expect((await errorOf(elsewhere.unary(REQUEST))).code).toBe(status.UNAVAILABLE);
  });

  test('of propagation win one by one: a test may still call from outside a call', async () => {
    const container = new Container();
    await using _ = await startTestHost(container, ({ addService, addClient }) => {
      addService(LeafService, Leaf);
      addClient(LeafClient, { enableCallContextPropagation: { metadata: ['x-request-id'] } });
    });
    const leaf = getGrpcClient(container, LeafClient);
    const requestMetadata = { get: (name: string) => (name === 'x-request-id' ? ['seven'] : []) };

    expect(await leaf.unary(REQUEST)).toMatchObject({ text: '' });
    expect(await fakeCallContext({ requestMetadata }).run(() => leaf.unary(REQUEST))).toMatchObject({ text: 'seven' });
  });

  test('of the application give way to the host, as far as they name the place', async () => {
    const container = new Container();
    createGrpcClient(container, LeafClient, {
      address: 'https://leaf.example:443',
      credentials: credentials.createSsl(),
      metadata: { 'x-request-id': 'registered' },
    });
    await using _ = await startTestHost(container, leafOnly);

    expect(await getGrpcClient(container, LeafClient).unary(REQUEST)).toMatchObject({ text: 'registered' });
  });

  test('that are wrong are errors of createGrpcClient', async () => {
    const withOptions = (options: object) =>
      startTestHost(new Container(), (host) => host.addClient(LeafClient, options));

    await expect(withOptions({ timeout: 5 })).rejects.toThrow(/unknown option "timeout"/);
    await expect(withOptions(7 as never)).rejects.toThrow(/options must be an object/);
  });
});

describe('disposal', () => {
  test('cancels what is running, on both sides', async () => {
    const container = new Container();
    const host = await startTestHost(container, leafOnly);
    const call = getGrpcClient(container, LeafClient).unary({ ...REQUEST, script: 'wait' });
    const stream = getGrpcClient(container, LeafClient).serverStream(REQUEST);
    const { signal } = await waitingCall();

    await Promise.all([host[Symbol.asyncDispose](), errorOf(call)]);

    expect(await errorOf(call)).toMatchObject({
      code: status.CANCELLED,
      details: "Cancelled: gRPC client 'grpc_di.test.v1.Leaf' is closed: its test host was disposed",
    });
    expect((await stream.status).code).toBe(status.CANCELLED);
    expect(signal.aborted).toBe(true);
  });

  test('cuts the calls of clients that are not its own', async () => {
    const host = await startTestHost(new Container(), leafOnly);
    const bare = new LeafClient(host.address, credentials.createInsecure());
    const failed = new Promise((resolve) => {
      bare.unary({ ...REQUEST, script: 'wait' }, resolve);
    });
    const { signal } = await waitingCall();

    await host[Symbol.asyncDispose]();

    expect(await failed).toMatchObject({ code: expect.any(Number) });
    expect(signal.aborted).toBe(true);
    bare.close();
  });

  test('ends with no listener, and may be asked for again', async () => {
    const host = await startTestHost(new Container(), leafOnly);
    expect(await isListening(host.address)).toBe(true);

    await host[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();

    expect(await isListening(host.address)).toBe(false);
  });

  test('leaves the container ready for the next host', async () => {
    const container = new Container();
    for (let time = 0; time < 3; time++) {
      await using _ = await startTestHost(container, both);
      expect(await getGrpcClient(container, RelayClient).unary(REQUEST)).toMatchObject({ id: 'relayed leaf' });
    }
  });

  test("leaves the class's other registrations alone", async () => {
    const container = new Container();
    await using other = await startTestHost(new Container(), leafOnly);
    createGrpcClient(container, LeafClient, { name: 'other', address: other.address });
    const host = await startTestHost(container, leafOnly);
    await getGrpcClient(container, LeafClient).unary(REQUEST);

    await host[Symbol.asyncDispose]();

    expect(await getGrpcClient(container, LeafClient, 'other').unary(REQUEST)).toMatchObject({ id: 'leaf' });
    await container.get(GrpcClientFactory).close();
  });

  test('takes a class that the test has unbound or replaced for gone', async () => {
    const container = new Container();
    const host = await startTestHost(container, both);
    const relay = getGrpcClient(container, RelayClient);
    container.unbind(RelayClient);
    container.unbind(LeafClient);
    const mock = {} as LeafClient;
    container.bind(LeafClient).toConstantValue(mock);

    await host[Symbol.asyncDispose]();

    expect(container.get(LeafClient)).toBe(mock);
    expect(container.isBound(RelayClient)).toBe(false);
    expect((await errorOf(relay.unary(REQUEST))).code).toBe(status.UNAVAILABLE);
  });

  test('leaves nothing that keeps the process alive', async () => {
    const fixture = fileURLToPath(new URL('./fixtures/disposed-hosts.js', import.meta.url));

    const { stdout } = await promisify(execFile)(process.execPath, [fixture]);

    expect(JSON.parse(stdout)).toEqual({ disposed: [], configureThrew: [], bindingFailed: [] });
  }, 30_000);
});

describe('a host that cannot be started', () => {
  test('rejects with what configure throws, and takes everything back', async () => {
    const container = new Container();
    const thrown = new RangeError('wrong');
    let client: GrpcClient<LeafClient> | undefined;

    const started = startTestHost(container, (host) => {
      leafOnly(host);
      client = getGrpcClient(container, LeafClient);
      throw thrown;
    });

    await expect(started).rejects.toBe(thrown);
    expect(container.isBound(LeafClient)).toBe(false);
    expect((await errorOf(client!.unary(REQUEST))).code).toBe(status.UNAVAILABLE);
    await using _ = await startTestHost(container, leafOnly);
    expect(await getGrpcClient(container, LeafClient).unary(REQUEST)).toMatchObject({ id: 'leaf' });
  });

  test('says what it could not listen on, and why', async () => {
    const reason = new Error('no sockets left');
    jest.spyOn(Server.prototype, 'bindAsync').mockImplementation((_address, _credentials, callback) => {
      callback(reason, 0);
    });

    await expect(startTestHost(new Container(), leafOnly)).rejects.toMatchObject({
      message: 'startTestHost could not listen on 127.0.0.1: no sockets left',
      cause: reason,
    });
  });

  test('rejects where configure is async: its errors would come too late', async () => {
    const configure = (): void => Promise.reject(new Error('unseen')) as never;
    const started = startTestHost(new Container(), configure);

    await expect(started).rejects.toThrow('configure must not be async: await what it needs before startTestHost');
  });

  test('takes nothing on after configure has returned', async () => {
    let late!: TestHostSetup;
    await using _ = await startTestHost(new Container(), (host) => {
      late = host;
    });

    expect(() => late.addService(LeafService, Leaf)).toThrow(
      new Error('startTestHost: addService was called after configure had returned: call it inside'),
    );
    expect(() => late.addClient(LeafClient)).toThrow(/addClient was called after configure had returned/);
  });

  test.each([
    ['no container', {}, leafOnly, /container must be an inversify Container, not {}/],
    ['no function', new Container(), undefined, /configure must be a function, not undefined/],
  ])('rejects with a TypeError for %s', async (_, container, configure, message) => {
    const started = startTestHost(container as Container, configure as never);

    await expect(started).rejects.toThrow(TypeError);
    await expect(started).rejects.toThrow(message);
  });
});

test('started inside a call, it does not take its calls for part of that', async () => {
  const container = new Container();
  let seen: unknown = 'nothing';

  class Observer {
    async unary(_request: RelayRequest, context: ServerCallContext): Promise<RelayReply> {
      seen = [requireCallContext() === currentCallContext(), context.deadline];
      return { id: '', text: '', deadline: 0 };
    }
  }

  const host: TestHost = await runInCallContext({ timeoutMs: FAR_MS }, () =>
    startTestHost(container, ({ addService, addClient }) => {
      addService(LeafService, Observer);
      addClient(LeafClient);
    }),
  );
  await getGrpcClient(container, LeafClient).unary(REQUEST);

  expect(seen).toEqual([true, Infinity]);
  await host[Symbol.asyncDispose]();
});
