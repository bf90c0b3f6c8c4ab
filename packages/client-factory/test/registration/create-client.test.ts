import 'reflect-metadata';
import { type Channel, credentials } from '@grpc/grpc-js';
import {
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { LeafClient, type RunningServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable, named, type ServiceIdentifier } from 'inversify';
import { REQUEST, startNamedServer } from './named-server.js';

// What a createClient hook is called with, and what may come of it. What its channel does is in test/call.

let server: RunningServer;
beforeAll(async () => {
  server = await startNamedServer('reached');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
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

/** grpc-js's own client on a channel. */
function leafOn(channelOverride: Channel): LeafClient {
  return new LeafClient('', credentials.createInsecure(), { channelOverride });
}

abstract class Greeter {
  abstract greet(): Promise<string>;
}

class LeafGreeter extends Greeter {
  private readonly leaf: LeafClient;

  constructor(channel: Channel) {
    super();
    this.leaf = leafOn(channel);
  }

  greet(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.leaf.unary(REQUEST, (error, reply) => (error === null ? resolve(reply.text) : reject(error)));
    });
  }
}

const IDENTIFIERS: Array<[string, ServiceIdentifier<Greeter>]> = [
  ['a symbol', Symbol('greeter')],
  ['a string', 'greeter'],
  ['a class', LeafGreeter],
  ['an abstract class', Greeter],
];

interface GreeterOptions extends GrpcClientOptions {
  createClient?: (channel: Channel) => Greeter;
}

function register(identifier: ServiceIdentifier<Greeter>, options: GreeterOptions = {}): void {
  createGrpcClient(container, identifier, {
    name: 'greeter',
    address: server.address,
    createClient: (channel) => new LeafGreeter(channel),
    ...options,
  });
}

describe.each(IDENTIFIERS)('a client under %s', (_what, identifier) => {
  test('is injected under its identifier, with its name or bare: a new object each time', async () => {
    register(identifier);
    @injectable()
    class Hall {
      constructor(
        @inject(identifier) readonly bare: Greeter,
        @inject(identifier) @named('greeter') readonly named: Greeter,
      ) {}
    }
    container.bind(Hall).toSelf();

    const { bare, named: byName } = container.get(Hall);

    expect(await bare.greet()).toBe('reached');
    expect(await byName.greet()).toBe('reached');
    expect(await new Container({ parent: container }).get(identifier).greet()).toBe('reached');
    expect(bare).not.toBe(byName);
  });

  test('under two names is injected with one of them', async () => {
    register(identifier);
    register(identifier, { name: 'other' });
    const words =
      typeof identifier === 'function'
        ? identifier.name
        : typeof identifier === 'symbol'
          ? 'Symbol(greeter)'
          : "'greeter'";

    expect(() => container.get(identifier)).toThrow(
      `gRPC client ${words} is registered as 'greeter', 'other': inject one of those with @inject(${words}) @named('greeter').`,
    );
    expect(() => container.get(identifier, { name: 'nobody' })).toThrow(
      `gRPC client ${words} is not registered under the name or tag that was asked for, only as 'greeter', 'other'.`,
    );
    expect(await container.get(identifier, { name: 'other' }).greet()).toBe('reached');
  });

  test('merges with a later registration, whose hook wins', async () => {
    register(identifier, { address: 'localhost:1', metadata: { 'x-a': 'a' } });
    register(identifier, {
      createClient: (channel) => Object.assign(new LeafGreeter(channel), { greet: () => Promise.resolve('second') }),
    });

    expect(await container.get(identifier).greet()).toBe('second');
  });

  test('belongs to the factory, and goes with its binding', async () => {
    register(identifier);
    const factory = container.get(GrpcClientFactory);
    factory.validate();
    await factory.waitForReady({ names: ['greeter'] });
    const greeter = container.get(identifier);
    expect(await greeter.greet()).toBe('reached');

    container.unbind(identifier);

    await expect(greeter.greet()).rejects.toMatchObject({
      details: "gRPC client 'greeter' is closed: its binding was removed from the container",
    });
  });
});

describe('a generated class with a createClient hook', () => {
  test('is injected as what the hook returns, for every object and name of the registration', async () => {
    const made: LeafClient[] = [];
    const containers: Container[] = [];
    createGrpcClient(container, LeafClient, {
      address: server.address,
      createClient: (channel, from) => {
        containers.push(from);
        made.push(leafOn(channel));
        return made.at(-1)!;
      },
    });
    createGrpcClient(container, LeafClient, { name: 'plain', address: server.address });
    const child = new Container({ parent: container });

    const clients = [
      getGrpcClient(container, LeafClient),
      child.get(LeafClient),
      container.get(GrpcClientFactory).createClient(LeafClient),
      container.get(GrpcClientFactory).createClient(LeafClient, undefined, { address: server.address }),
    ];

    expect(clients).toEqual(made);
    expect(new Set(made).size).toBe(4);
    expect(containers).toEqual([container, container, container, container]);
    expect(await getGrpcClient(container, LeafClient, 'plain').unary(REQUEST)).toMatchObject({ text: 'reached' });
    expect(made).toHaveLength(4);
  });

  test('may return an object of a subclass', () => {
    class LoudLeafClient extends LeafClient {}
    createGrpcClient(container, LeafClient, {
      address: server.address,
      createClient: (channelOverride) => new LoudLeafClient('', credentials.createInsecure(), { channelOverride }),
    });

    expect(getGrpcClient(container, LeafClient)).toBeInstanceOf(LoudLeafClient);
  });

  test('is not called for validate()', () => {
    let calls = 0;
    createGrpcClient(container, LeafClient, {
      address: server.address,
      createClient: (channel) => {
        calls++;
        return leafOn(channel);
      },
    });

    container.get(GrpcClientFactory).validate();

    expect(calls).toBe(0);
  });

  test('may use other clients of the container', async () => {
    createGrpcClient(container, LeafClient, { name: 'inner', address: server.address });
    createGrpcClient<{ ask(): Promise<string> }>(container, 'asker', {
      name: 'asker',
      address: server.address,
      createClient: (_channel, from) => {
        const inner: GrpcClient<LeafClient> = getGrpcClient(from, LeafClient, 'inner');
        return { ask: async () => (await inner.unary(REQUEST)).text };
      },
    });

    expect(await container.get<{ ask(): Promise<string> }>('asker').ask()).toBe('reached');
  });
});

test('a function may be a client where nothing says otherwise', () => {
  const client = (): string => 'called';
  createGrpcClient<() => string>(container, 'function', {
    name: 'function',
    address: server.address,
    createClient: () => client,
  });

  expect(container.get('function')).toBe(client);
});

describe('a hook that fails', () => {
  test.each<[string, unknown, string]>([
    ['an error', new RangeError('no luck'), 'no luck'],
    ['a string', 'no luck', "'no luck'"],
    ['nothing', undefined, 'undefined'],
  ])('throws %s: the cause is in the error, and the next use tries again', async (_what, thrown, words) => {
    let attempts = 0;
    register('greeter', {
      createClient: (channel) => {
        attempts++;
        if (attempts === 1) {
          throw thrown;
        }
        return new LeafGreeter(channel);
      },
    });
    let error: unknown;
    try {
      container.get('greeter');
    } catch (caught) {
      error = caught;
    }

    expect(error).toMatchObject({ message: `gRPC client 'greeter': ${words}`, cause: thrown });
    expect(await container.get<Greeter>('greeter').greet()).toBe('reached');
  });

  test('leaves the registration open to another', async () => {
    register('greeter', {
      createClient: () => {
        throw new Error('no luck');
      },
    });
    expect(() => container.get('greeter')).toThrow("gRPC client 'greeter': no luck");

    register('greeter');

    expect(await container.get<Greeter>('greeter').greet()).toBe('reached');
  });
});
