import 'reflect-metadata';
import { InterceptingCall, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcClient as create,
  createGrpcChannel,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  type GrpcInterceptor,
  getGrpcClient as get,
  grpcClientModule,
} from '@grpc-di/client-factory';
import { LeafClient, LeafService, type RelayReply, type RunningServer, startServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable, multiInject, named, optional } from 'inversify-7';

// The peer range is ^7 || ^8, and all other tests run with 8. What could differ is here: injection by name and its cached
// plans, what unbinding tells us, and the names of its synchronous forms. To tsc a container of 7 is none of 8: its types
// are checked in ./project.

const REQUEST = { id: '', script: '', path: [] };

let home: RunningServer;
let eu: RunningServer;
beforeAll(async () => {
  [home, eu] = await Promise.all([startNamedServer('home'), startNamedServer('eu')]);
});
afterAll(async () => {
  await Promise.all([home[Symbol.asyncDispose](), eu[Symbol.asyncDispose]()]);
});

let container: Container;
beforeEach(() => {
  container = new Container();
  createGrpcClient(container, LeafClient, { address: home.address });
});
afterEach(async () => {
  if (container.isBound(GrpcClientFactory)) {
    await container.get(GrpcClientFactory).close({ cancelCalls: true });
  }
});

test('clients are injected by class and by name', async () => {
  createGrpcClient(container, LeafClient, { name: 'eu', address: eu.address });

  @injectable()
  class Consumer {
    constructor(
      @inject(LeafClient) readonly leaf: GrpcClient<LeafClient>,
      @inject(LeafClient) @named('eu') readonly european: GrpcClient<LeafClient>,
      @multiInject(LeafClient) readonly all: Array<GrpcClient<LeafClient>>,
      @inject(GrpcClientFactory) readonly factory: GrpcClientFactory,
    ) {}
  }
  const { leaf, european, all, factory } = container.get(Consumer, { autobind: true });

  expect(await serverOf(leaf)).toBe('home');
  expect(await serverOf(european)).toBe('eu');
  expect(await Promise.all(all.map(serverOf))).toEqual(['home']);
  expect(await serverOf(factory.createClient(LeafClient, 'eu'))).toBe('eu');
});

test('a name that is registered after it was asked for is found', async () => {
  getGrpcClient(container, LeafClient);
  expect(() => container.get(LeafClient, { name: 'eu' })).toThrow('under the name or tag that was asked for');

  createGrpcClient(container, LeafClient, { name: 'eu', address: eu.address });

  expect(await serverOf(container.get(LeafClient, { name: 'eu' }) as GrpcClient<LeafClient>)).toBe('eu');
  expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
});

test('a repeated registration merges, until the first use', () => {
  createGrpcClient(container, LeafClient, { timeoutMs: 60_000 });
  getGrpcClient(container, LeafClient);
  expect(() => createGrpcClient(container, LeafClient, {})).toThrow('was already used');
});

test('bare injection where only other names are registered is an error that lists them, also where it is optional', () => {
  const other = new Container();
  createGrpcClient(other, LeafClient, { name: 'eu', address: eu.address });

  @injectable()
  class Consumer {
    constructor(@inject(LeafClient) @optional() readonly leaf?: GrpcClient<LeafClient>) {}
  }

  expect(() => other.get(LeafClient)).toThrow("only as 'eu'");
  expect(() => other.get(LeafClient, { optional: true })).toThrow("only as 'eu'");
  expect(() => other.getAll(LeafClient)).toThrow("only as 'eu'");
  expect(() => other.get(Consumer, { autobind: true })).toThrow("only as 'eu'");
});

test("a child container inherits, replaces the parent's class with all names, and leaves it alone", async () => {
  const child = new Container({ parent: container });
  expect(await serverOf(getGrpcClient(child, LeafClient))).toBe('home');
  await child.unbind(LeafClient);
  child.unbindSync(LeafClient);
  expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');

  createGrpcClient(child, LeafClient, { name: 'eu', address: eu.address });

  expect(await serverOf(getGrpcClient(child, LeafClient, 'eu'))).toBe('eu');
  expect(() => child.get(LeafClient)).toThrow("only as 'eu'");
  expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
  await child.get(GrpcClientFactory).close();
});

describe.each<[string, () => void | Promise<void>]>([
  ['unbind', () => container.unbind(LeafClient)],
  ['unbindSync', () => container.unbindSync(LeafClient)],
  ['unbindAll', () => container.unbindAll()],
  ['rebind', async () => void (await container.rebind(LeafClient)).toConstantValue({} as LeafClient)],
  ['rebindSync', () => void container.rebindSync(LeafClient).toConstantValue({} as LeafClient)],
])('%s', (_name, unbind) => {
  test('closes the client', async () => {
    const leaf = getGrpcClient(container, LeafClient);
    await serverOf(leaf);

    await unbind();

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: "gRPC client 'grpc_di.test.v1.Leaf' is closed: its binding was removed from the container",
    });
  });
});

test('a mock goes when a snapshot is restored', async () => {
  const fake = {} as GrpcClient<LeafClient>;
  container.snapshot();
  container.rebindSync(LeafClient).toConstantValue(fake);
  expect(getGrpcClient(container, LeafClient)).toBe(fake);

  container.restore();

  expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
});

test('a registration that fails leaves nothing behind', () => {
  const other = new Container();
  expect(() => createGrpcClient(other, LeafClient, { address: 'users:undefined' })).toThrow('no gRPC target');
  expect(other.isBound(LeafClient)).toBe(false);
});

describe('a module', () => {
  const module = grpcClientModule((add) => add(LeafClient, { name: 'eu', address: eu.address })) as never;
  let own: Container;

  beforeEach(async () => {
    own = new Container();
    await own.load(module);
  });

  test.each<[string, () => void | Promise<void>]>([
    ['unload', () => own.unload(module)],
    ['unloadSync', () => own.unloadSync(module)],
  ])('registers clients until %s', async (_name, unload) => {
    const factory = own.get(GrpcClientFactory);
    const leaf = getGrpcClient(own, LeafClient, 'eu');
    expect(await serverOf(leaf)).toBe('eu');
    expect(factory.getChannel('eu')).toBeDefined();

    await unload();

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(own.isBound(LeafClient)).toBe(false);
    expect(own.isBound(GrpcClientFactory)).toBe(false);
  });

  test('registers no class that the container has', async () => {
    await expect((async () => container.load(module))()).rejects.toThrow('is already registered in the container');
    await own.unload(module);
  });
});

test('defaults, shared channels and interceptors of the container that asks', async () => {
  const seen: string[] = [];
  const tagging = (tag: string): GrpcInterceptor => ({
    intercept: (options, nextCall) => {
      seen.push(tag);
      return new InterceptingCall(nextCall(options));
    },
  });
  configureGrpcClientDefaults(container as never, { interceptors: [{ interceptor: 'outer', scope: 'client' }] });
  createGrpcChannel(container as never, 'shared', { address: eu.address });
  createGrpcClient(container, LeafClient, {
    name: 'sharing',
    channel: 'shared',
    interceptors: [{ interceptor: 'inner', scope: 'client' }, { interceptor: 'innermost' }],
  });
  const child = new Container({ parent: container });
  for (const [to, whose] of [
    [container, 'own'],
    [child, 'child'],
  ] as const) {
    for (const name of ['outer', 'inner', 'innermost']) {
      to.bind(name).toConstantValue(tagging(`${whose} ${name}`));
    }
  }

  expect(await serverOf(getGrpcClient(child, LeafClient, 'sharing'))).toBe('eu');
  expect(seen).toEqual(['child outer', 'child inner', 'own innermost']);
});

function createGrpcClient(to: Container, client: typeof LeafClient, options: GrpcClientOptions): void {
  create(to as never, client, options);
}

function getGrpcClient(from: Container, client: typeof LeafClient, name?: string): GrpcClient<LeafClient> {
  return get(from as never, client, name);
}

function startNamedServer(name: string): Promise<RunningServer> {
  return startServer((server) =>
    server.addService(LeafService, {
      unary: (_call: unknown, respond: sendUnaryData<RelayReply>) => respond(null, { id: '', text: name, deadline: 0 }),
    }),
  );
}

async function serverOf(leaf: GrpcClient<LeafClient>): Promise<string> {
  return (await leaf.unary(REQUEST)).text;
}
