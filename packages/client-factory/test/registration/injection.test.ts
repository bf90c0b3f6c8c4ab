import 'reflect-metadata';
import { createGrpcClient, type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { LeafClient, RelayClient, type RunningServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable, multiInject, named, optional, tagged } from 'inversify';
import { REQUEST, serverOf, startNamedServer } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';

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
});
afterEach(async () => {
  if (container.isBound(GrpcClientFactory)) {
    await container.get(GrpcClientFactory).close();
  }
});

function registerBoth(): void {
  createGrpcClient(container, LeafClient, { address: home.address });
  createGrpcClient(container, LeafClient, { name: 'eu', address: eu.address });
}

describe('a client is injected', () => {
  test('by its class', async () => {
    createGrpcClient(container, LeafClient, { address: home.address });

    @injectable()
    class Consumer {
      constructor(@inject(LeafClient) readonly leaf: GrpcClient<LeafClient>) {}
    }
    const consumer = container.get(Consumer, { autobind: true });

    expect(consumer.leaf).toBeInstanceOf(LeafClient);
    expect(await serverOf(consumer.leaf)).toBe('home');
  });

  test('by its class and its name', async () => {
    registerBoth();

    @injectable()
    class Consumer {
      constructor(
        @inject(LeafClient) readonly leaf: GrpcClient<LeafClient>,
        @inject(LeafClient) @named('eu') readonly european: GrpcClient<LeafClient>,
        @inject(LeafClient) @named(LEAF) readonly byDefaultName: GrpcClient<LeafClient>,
      ) {}
    }
    const consumer = container.get(Consumer, { autobind: true });

    expect(await serverOf(consumer.leaf)).toBe('home');
    expect(await serverOf(consumer.european)).toBe('eu');
    expect(await serverOf(consumer.byDefaultName)).toBe('home');
  });

  test('into a property', async () => {
    registerBoth();

    @injectable()
    class Consumer {
      @inject(LeafClient)
      @named('eu')
      readonly european!: GrpcClient<LeafClient>;
    }

    expect(await serverOf(container.get(Consumer, { autobind: true }).european)).toBe('eu');
  });

  test('into a binding that is resolved from others', async () => {
    registerBoth();
    container.bind('consumer').toResolvedValue((leaf: LeafClient) => leaf, [LeafClient]);

    expect(await serverOf(container.get('consumer'))).toBe('home');
  });

  test('where it is optional, or one of several', async () => {
    registerBoth();

    @injectable()
    class Consumer {
      constructor(
        @inject(LeafClient) @optional() readonly maybe: GrpcClient<LeafClient> | undefined,
        @multiInject(LeafClient) readonly all: Array<GrpcClient<LeafClient>>,
        @multiInject(LeafClient) @named('eu') readonly european: Array<GrpcClient<LeafClient>>,
      ) {}
    }
    const consumer = container.get(Consumer, { autobind: true });

    expect(await serverOf(consumer.maybe!)).toBe('home');
    expect(await Promise.all(consumer.all.map(serverOf))).toEqual(['home']);
    expect(await Promise.all(consumer.european.map(serverOf))).toEqual(['eu']);
  });

  test('asynchronously', async () => {
    registerBoth();

    expect(await serverOf((await container.getAsync(LeafClient, { name: 'eu' })) as GrpcClient<LeafClient>)).toBe('eu');
  });

  test('under a name that is registered after other names were already injected', async () => {
    createGrpcClient(container, LeafClient, { address: home.address });
    expect(() => container.get(LeafClient, { name: 'eu' })).toThrow(`only as '${LEAF}'`);
    container.get(LeafClient);

    createGrpcClient(container, LeafClient, { name: 'eu', address: eu.address });

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
    expect(await serverOf(getGrpcClient(container, LeafClient, 'eu'))).toBe('eu');
  });
});

describe('getGrpcClient and GrpcClientFactory.createClient', () => {
  test('give the client of the default name, or of another', async () => {
    registerBoth();
    const factory = container.get(GrpcClientFactory);

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
    expect(await serverOf(getGrpcClient(container, LeafClient, LEAF))).toBe('home');
    expect(await serverOf(getGrpcClient(container, LeafClient, 'eu'))).toBe('eu');
    expect(await serverOf(factory.createClient(LeafClient))).toBe('home');
    expect(await serverOf(factory.createClient(LeafClient, 'eu'))).toBe('eu');
  });

  test('give an object of its own to each asker', () => {
    registerBoth();

    expect(getGrpcClient(container, LeafClient)).not.toBe(getGrpcClient(container, LeafClient));
  });
});

describe('where only other names are registered, asking for the bare class is an error that lists them', () => {
  const message =
    `gRPC client LeafClient is not registered under its default name '${LEAF}', only as 'eu', 'us': ` +
    "inject one of those with @inject(LeafClient) @named('eu'), or register it without a name.";

  beforeEach(() => {
    createGrpcClient(container, LeafClient, { name: 'eu', address: eu.address });
    createGrpcClient(container, LeafClient, { name: 'us', address: home.address });
  });

  test.each<[string, () => unknown]>([
    ['container.get', () => container.get(LeafClient)],
    ['container.get, optional', () => container.get(LeafClient, { optional: true })],
    ['container.getAll', () => container.getAll(LeafClient)],
    ['getGrpcClient', () => getGrpcClient(container, LeafClient)],
    ['GrpcClientFactory.createClient', () => container.get(GrpcClientFactory).createClient(LeafClient)],
    [
      '@inject',
      () => {
        @injectable()
        class Consumer {
          constructor(@inject(LeafClient) readonly leaf: GrpcClient<LeafClient>) {}
        }
        container.get(Consumer, { autobind: true });
      },
    ],
    [
      '@inject @optional',
      () => {
        @injectable()
        class Consumer {
          constructor(@inject(LeafClient) @optional() readonly leaf?: GrpcClient<LeafClient>) {}
        }
        container.get(Consumer, { autobind: true });
      },
    ],
    [
      '@multiInject',
      () => {
        @injectable()
        class Consumer {
          constructor(@multiInject(LeafClient) readonly leaves: Array<GrpcClient<LeafClient>>) {}
        }
        container.get(Consumer, { autobind: true });
      },
    ],
  ])('%s', (_how, ask) => {
    expect(ask).toThrow(message);
  });
});

describe('a name that is not registered is an error that lists those that are', () => {
  beforeEach(registerBoth);

  test.each<[string, () => unknown]>([
    ['getGrpcClient', () => getGrpcClient(container, LeafClient, 'us')],
    ['GrpcClientFactory.createClient', () => container.get(GrpcClientFactory).createClient(LeafClient, 'us')],
  ])('%s, which says the name', (_how, ask) => {
    expect(ask).toThrow(`gRPC client LeafClient is not registered as 'us', only as '${LEAF}', 'eu'.`);
  });

  test.each<[string, () => unknown]>([
    ['container.get', () => container.get(LeafClient, { name: 'us' })],
    ['container.getAll', () => container.getAll(LeafClient, { name: 'us' })],
    [
      '@named',
      () => {
        @injectable()
        class Consumer {
          constructor(@inject(LeafClient) @named('us') readonly leaf: GrpcClient<LeafClient>) {}
        }
        container.get(Consumer, { autobind: true });
      },
    ],
    [
      '@tagged',
      () => {
        @injectable()
        class Consumer {
          constructor(@inject(LeafClient) @tagged('region', 'us') readonly leaf: GrpcClient<LeafClient>) {}
        }
        container.get(Consumer, { autobind: true });
      },
    ],
  ])('%s, which cannot know it', (_how, ask) => {
    expect(ask).toThrow(
      `gRPC client LeafClient is not registered under the name or tag that was asked for, only as '${LEAF}', 'eu'.`,
    );
  });
});

describe('where nothing is registered', () => {
  test('getGrpcClient says what to write', () => {
    expect(() => getGrpcClient(container, LeafClient)).toThrow(
      "gRPC client LeafClient is not registered: write createGrpcClient(container, LeafClient, { address: 'https://...' })",
    );
    createGrpcClient(container, RelayClient, { address: home.address });
    expect(() => container.get(GrpcClientFactory).createClient(LeafClient)).toThrow(
      'gRPC client LeafClient is not registered',
    );
  });

  test('optional injection is undefined, as for any class', () => {
    expect(container.get(LeafClient, { optional: true })).toBeUndefined();
    expect(container.isBound(LeafClient)).toBe(false);
  });
});

describe('in a child container', () => {
  let child: Container;
  beforeEach(() => {
    child = new Container({ parent: container });
  });
  afterEach(async () => {
    await child.get(GrpcClientFactory).close();
  });

  test("the parent's clients are injected", async () => {
    registerBoth();

    expect(await serverOf(getGrpcClient(child, LeafClient))).toBe('home');
    expect(await serverOf(getGrpcClient(child, LeafClient, 'eu'))).toBe('eu');
  });

  test("a registration replaces the parent's of that class, with all its names", async () => {
    registerBoth();
    createGrpcClient(child, LeafClient, { address: eu.address });

    expect(await serverOf(getGrpcClient(child, LeafClient))).toBe('eu');
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
    expect(() => getGrpcClient(child, LeafClient, 'eu')).toThrow(`not registered as 'eu', only as '${LEAF}'`);
    expect(() => child.get(LeafClient, { name: 'eu' })).toThrow(`only as '${LEAF}'`);
  });

  test("a registration under a name alone hides the parent's default", () => {
    createGrpcClient(container, LeafClient, { address: home.address });
    createGrpcClient(child, LeafClient, { name: 'eu', address: eu.address });

    expect(() => child.get(LeafClient)).toThrow("only as 'eu'");
    expect(() => child.get(LeafClient, { optional: true })).toThrow("only as 'eu'");
  });

  test("a registration leaves the parent's other classes alone", async () => {
    registerBoth();
    createGrpcClient(child, RelayClient, { address: home.address });

    expect(await serverOf(getGrpcClient(child, LeafClient, 'eu'))).toBe('eu');
    expect(await serverOf(child.get(GrpcClientFactory).createClient(LeafClient))).toBe('home');
  });

  test('options do not merge with those of the parent', async () => {
    createGrpcClient(container, LeafClient, { address: home.address });
    createGrpcClient(child, LeafClient, { timeoutMs: 500 });

    expect(() => getGrpcClient(child, LeafClient)).toThrow('has no address');
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
  });

  test("a class's name of the parent is free for another class", () => {
    createGrpcClient(container, LeafClient, { name: 'shared', address: home.address });
    createGrpcClient(child, RelayClient, { name: 'shared', address: home.address });

    expect(getGrpcClient(child, RelayClient, 'shared')).toBeInstanceOf(RelayClient);
  });

  test("a mock in place of the class leaves the parent's client alone", async () => {
    registerBoth();
    const leaf = getGrpcClient(container, LeafClient);
    const fake = {} as GrpcClient<LeafClient>;

    child.rebind(LeafClient).toConstantValue(fake);
    const call = serverOf(leaf);

    expect(getGrpcClient(child, LeafClient)).toBe(fake);
    expect(await call).toBe('home');
    expect(await serverOf(getGrpcClient(container, LeafClient, 'eu'))).toBe('eu');
  });
});

describe('a mock in place of a client', () => {
  const fake = { unary: () => Promise.resolve({ text: 'fake' }) } as unknown as GrpcClient<LeafClient>;

  test('is what gets injected after rebind', async () => {
    registerBoth();
    container.rebind(LeafClient).toConstantValue(fake);

    @injectable()
    class Consumer {
      constructor(@inject(LeafClient) readonly leaf: GrpcClient<LeafClient>) {}
    }

    expect(container.get(Consumer, { autobind: true }).leaf).toBe(fake);
    expect(getGrpcClient(container, LeafClient)).toBe(fake);
    expect(getGrpcClient(container, LeafClient, 'eu')).toBe(fake);
    expect(container.get(GrpcClientFactory).createClient(LeafClient)).toBe(fake);
    await container.get(GrpcClientFactory).waitForReady();
  });

  test('is made once for each asker', () => {
    registerBoth();
    let made = 0;
    container.rebind(LeafClient).toDynamicValue(() => {
      made++;
      return fake;
    });

    getGrpcClient(container, LeafClient);
    expect(made).toBe(1);
  });

  test('goes when a snapshot is restored, and the client is back', async () => {
    registerBoth();
    const before = getGrpcClient(container, LeafClient);
    expect(await serverOf(before)).toBe('home');
    container.snapshot();
    container.rebind(LeafClient).toConstantValue(fake);
    await expect(before.unary(REQUEST)).rejects.toThrow('its binding was removed from the container');

    container.restore();

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
    expect(await serverOf(getGrpcClient(container, LeafClient, 'eu'))).toBe('eu');
    expect(await serverOf(before)).toBe('home');
  });

  test('is not covered up by a registration', () => {
    container.bind(LeafClient).toConstantValue(fake);

    expect(() => createGrpcClient(container, LeafClient, { address: home.address })).toThrow(
      'gRPC client LeafClient cannot be registered: the container has another binding of the class. Unbind that first.',
    );
    expect(container.get(LeafClient)).toBe(fake);
    expect(container.isBound(GrpcClientFactory)).toBe(false);
  });
});

test('what was registered since a snapshot goes when that is restored, and can be registered again', async () => {
  createGrpcClient(container, LeafClient, { address: home.address });
  for (let round = 0; round < 2; round++) {
    container.snapshot();
    createGrpcClient(container, LeafClient, { name: 'eu', address: eu.address });
    expect(await serverOf(getGrpcClient(container, LeafClient, 'eu'))).toBe('eu');
    container.restore();

    expect(() => container.get(GrpcClientFactory).getChannel('eu')).toThrow('is not registered');
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
  }
});
