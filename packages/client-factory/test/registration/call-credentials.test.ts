import 'reflect-metadata';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcChannel,
  createGrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable } from 'inversify';
import { type SecureServer, startSecureServer } from '../channel/secure-server.js';
import { REQUEST } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';

let server: SecureServer;
let plainServer: RunningLeaf;
beforeAll(async () => {
  [server, plainServer] = await Promise.all([startSecureServer(), startLeaf()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await plainServer[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
  made = 0;
  server.arrived.length = 0;
});
afterEach(async () => {
  if (container.isBound(GrpcClientFactory)) {
    await container.get(GrpcClientFactory).close({ cancelCalls: true });
  }
});

let made = 0;

@injectable()
class Session {
  readonly number = ++made;
}

@injectable()
class Tokens {
  constructor(@inject(Session) private readonly session: Session) {}

  async getMetadata(): Promise<Record<string, string>> {
    return { 'x-session': String(this.session.number) };
  }
}

/** What the server sees of a key, in the last call. */
function seen(name: string): unknown {
  return server.arrived.at(-1)!.get(name)[0];
}

describe('an object of the container', () => {
  const other = Symbol('other tokens');

  test.each<[title: string, bind: () => NonNullable<GrpcClientOptions['callCredentials']>[number]]>([
    [
      'by its class',
      () => {
        container.bind(Tokens).toSelf();
        return Tokens;
      },
    ],
    [
      'by a symbol',
      () => {
        container.bind(other).to(Tokens);
        return other;
      },
    ],
    [
      'by a string',
      () => {
        container.bind('tokens').to(Tokens);
        return 'tokens';
      },
    ],
    [
      'that is CallCredentials of grpc-js',
      () => {
        const metadata = new Metadata();
        metadata.set('x-session', '1');
        container
          .bind(other)
          .toConstantValue(credentials.createFromMetadataGenerator((_call, give) => give(null, metadata)));
        return other;
      },
    ],
  ])('%s', async (_title, bind) => {
    container.bind(Session).toSelf();
    createGrpcClient(container, LeafClient, {
      address: server.url,
      credentials: server.trusting,
      callCredentials: [bind()],
    });
    container.get(GrpcClientFactory).validate();
    expect(made).toBe(0);

    await getGrpcClient(container, LeafClient).unary(REQUEST);

    expect(seen('x-session')).toBe('1');
  });

  test('is resolved for each created client, not for each call', async () => {
    container.bind(Session).toSelf();
    container.bind(Tokens).toSelf();
    createGrpcClient(container, LeafClient, {
      address: server.url,
      credentials: server.trusting,
      callCredentials: [Tokens],
    });
    const [first, second] = [getGrpcClient(container, LeafClient), getGrpcClient(container, LeafClient)];

    for (const [leaf, session] of [
      [first, '1'],
      [second, '2'],
      [first, '1'],
    ] as const) {
      await leaf.unary(REQUEST);
      expect(seen('x-session')).toBe(session);
    }
  });

  test.each(['its registration', 'the defaults'])('named in %s, shares the request of whoever asks', async (where) => {
    @injectable()
    class Consumer {
      constructor(
        @inject(LeafClient) readonly leaf: LeafClient,
        @inject(Session) readonly session: Session,
      ) {}
    }
    container.bind(Session).toSelf().inRequestScope();
    container.bind(Tokens).toSelf();
    container.bind(Consumer).toSelf();
    const ofDefaults = where === 'the defaults';
    createGrpcClient(container, LeafClient, {
      address: server.url,
      credentials: server.trusting,
      ...(!ofDefaults && { callCredentials: [Tokens] }),
    });
    if (ofDefaults) {
      configureGrpcClientDefaults(container, { callCredentials: [Tokens] });
    }

    for (const consumer of [container.get(Consumer), container.get(Consumer)]) {
      await new Promise((resolve) => consumer.leaf.unary(REQUEST, resolve));
      expect(seen('x-session')).toBe(String(consumer.session.number));
    }
    expect(made).toBe(2);
  });

  test.each<[where: string, how: (child: Container) => LeafClient]>([
    ['its registration, injected', (child) => getGrpcClient(child, LeafClient)],
    ['the defaults, injected', (child) => getGrpcClient(child, LeafClient)],
    ['its registration, created with overrides', (child) => createWithOverrides(child)],
    ['the defaults, created with overrides', (child) => createWithOverrides(child)],
  ])('named in %s, comes from the container that asks', async (where, create) => {
    const registered = where.startsWith('its registration');
    createGrpcClient(container, LeafClient, {
      address: server.url,
      credentials: server.trusting,
      ...(registered && { callCredentials: ['tokens'] }),
    });
    if (!registered) {
      configureGrpcClientDefaults(container, { callCredentials: ['tokens'] });
    }
    container.bind('tokens').toConstantValue({ getMetadata: () => ({ 'x-session': 'of the parent' }) });
    const child = new Container({ parent: container });
    child.bind('tokens').toConstantValue({ getMetadata: () => ({ 'x-session': 'of the child' }) });
    // Without a registration of its own, a child has its parent's factory.
    createGrpcChannel(child, 'unused', { address: 'localhost:1' });

    await new Promise((resolve) => create(child).unary(REQUEST, resolve));
    expect(seen('x-session')).toBe('of the child');
    await getGrpcClient(container, LeafClient).unary(REQUEST);
    expect(seen('x-session')).toBe('of the parent');
  });

  test('serves clients that createClient makes, after their own credentials', async () => {
    container.bind(Session).toSelf();
    container.bind(Tokens).toSelf();
    createGrpcClient(container, LeafClient, {
      address: server.url,
      credentials: server.trusting,
      callCredentials: [Tokens],
      createClient: (channel) => new LeafClient('', credentials.createInsecure(), { channelOverride: channel }),
    });
    const own = new Metadata();
    own.set('x-session', 'own');
    const callsOwn = credentials.createFromMetadataGenerator((_call, give) => give(null, own));

    for (const options of [{ credentials: callsOwn }, {}]) {
      await new Promise((resolve) => container.get(LeafClient).unary(REQUEST, new Metadata(), options, resolve));
    }

    expect(server.arrived.map((metadata) => metadata.get('x-session'))).toEqual([['own, 1'], ['2']]);
  });

  test('shares one request with the others of its client, also with overrides', async () => {
    container.bind(Session).toSelf().inRequestScope();
    container.bind('tokens').to(Tokens);
    container.bind('interceptor').toResolvedValue(
      (session: Session) => ({
        intercept: (options: never, nextCall: (options: never) => never) => {
          intercepted = session.number;
          return nextCall(options);
        },
      }),
      [Session],
    );
    let intercepted = 0;
    createGrpcClient(container, LeafClient, {
      address: server.url,
      credentials: server.trusting,
      callCredentials: ['tokens'],
      interceptors: [{ interceptor: 'interceptor', scope: 'client' }],
    });

    for (const leaf of [getGrpcClient(container, LeafClient), createWithOverrides(container)]) {
      await new Promise((resolve) => leaf.unary(REQUEST, resolve));
      expect(seen('x-session')).toBe(String(intercepted));
    }
    expect(made).toBe(2);
  });

  test.each<[object: unknown, text: string]>([
    [{}, '{}'],
    [{ getMetadata: 'x' }, "{ getMetadata: 'x' }"],
    ['a token', "'a token'"],
    [null, 'null'],
  ])('that is no source of credentials is an error: %p', (wrong, shown) => {
    container.bind('tokens').toConstantValue(wrong);
    createGrpcClient(container, LeafClient, { address: 'https://users', callCredentials: ['tokens'] });

    expect(() => getGrpcClient(container, LeafClient)).toThrow(
      new TypeError(
        `gRPC client '${LEAF}': the container has ${shown} as call credentials 'tokens': it needs a method ` +
          'getMetadata({ serviceUrl, method, signal, deadline })',
      ),
    );
  });

  test.each<[identifier: NonNullable<GrpcClientOptions['callCredentials']>[number], words: string]>([
    [Tokens, 'Tokens, which is not bound: write container.bind(Tokens).toSelf()'],
    [other, 'Symbol(other tokens), which is not bound: write container.bind(Symbol(other tokens)).to(...)'],
    ['tokens', "'tokens', which is not bound: write container.bind('tokens').to(...)"],
  ])('that is not there is an error, at the first use and in validate(): %p', (identifier, words) => {
    createGrpcClient(container, LeafClient, { address: 'https://users', callCredentials: [identifier] });
    const text = `gRPC client '${LEAF}': its options name ${words}`;

    expect(() => container.get(GrpcClientFactory).validate()).toThrow(`1 gRPC client(s) cannot be used:\n- ${text}`);
    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(text));
    expect(() => createWithOverrides(container)).toThrow(new Error(text));
  });
});

function createWithOverrides(asking: Container): LeafClient {
  return asking
    .get(GrpcClientFactory)
    .createClient(LeafClient, undefined, { address: server.url, credentials: server.trusting });
}

describe('on an insecure channel', () => {
  let asked = 0;
  const secret = () => {
    asked++;
    return { authorization: 'Bearer secret' };
  };
  beforeEach(() => {
    asked = 0;
  });

  test.each<[title: string, register: (callCredentials: GrpcClientOptions['callCredentials']) => void]>([
    [
      'of its own',
      (callCredentials) =>
        createGrpcClient(container, LeafClient, {
          address: `http://${plainServer.address}`,
          callCredentials: callCredentials!,
        }),
    ],
    [
      'that is shared',
      (callCredentials) => {
        createGrpcChannel(container, 'backend', { address: `http://${plainServer.address}` });
        createGrpcClient(container, LeafClient, { channel: 'backend', callCredentials: callCredentials! });
      },
    ],
    [
      'of the defaults, as the credentials are',
      (callCredentials) => {
        createGrpcClient(container, LeafClient);
        configureGrpcClientDefaults(container, {
          address: `http://${plainServer.address}`,
          callCredentials: callCredentials!,
        });
      },
    ],
  ])('%s, they are an error, at the first use and in validate()', (_title, register) => {
    register([secret]);
    const text =
      `gRPC client '${LEAF}': it has call credentials, and its channel to dns:${plainServer.address} is insecure: they ` +
      'would be sent in clear text. Use an https address or secure channel credentials, or, where nobody can listen, set ' +
      'unsafeUseInsecureChannelCallCredentials: true';

    expect(() => container.get(GrpcClientFactory).validate()).toThrow(`1 gRPC client(s) cannot be used:\n- ${text}`);
    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(text));
    expect(() => container.get(GrpcClientFactory).createClient(LeafClient)).toThrow(new Error(text));
  });

  test('of an override, they are an error', async () => {
    createGrpcClient(container, LeafClient, {
      address: server.url,
      credentials: server.trusting,
      callCredentials: [secret],
    });
    const factory = container.get(GrpcClientFactory);

    expect(() =>
      factory.createClient(LeafClient, undefined, {
        address: plainServer.address,
        credentials: credentials.createInsecure(),
      }),
    ).toThrow(`gRPC client '${LEAF}': it has call credentials, and its channel to ${plainServer.address} is insecure`);
    await getGrpcClient(container, LeafClient).unary(REQUEST);
    expect(asked).toBe(1);
  });

  test('an empty list is none', () => {
    createGrpcClient(container, LeafClient, { address: plainServer.address, callCredentials: [] });
    container.get(GrpcClientFactory).validate();
    getGrpcClient(container, LeafClient);
  });

  test('they are sent where the client was told that they may be, a call’s own too', async () => {
    createGrpcClient(container, LeafClient, {
      address: plainServer.address,
      callCredentials: [secret],
      unsafeUseInsecureChannelCallCredentials: true,
    });
    const own = new Metadata();
    own.set('x-own', 'too');
    const call = getGrpcClient(container, LeafClient).unary(REQUEST, {
      metadata: { [CASE_KEY]: 'unsafe' },
      credentials: credentials.createFromMetadataGenerator((_call, give) => give(null, own)),
    });
    const arrival = await plainServer.arrived('unsafe');
    arrival.answer();
    await call;

    expect([arrival.metadata.get('authorization'), arrival.metadata.get('x-own')]).toEqual([
      ['Bearer secret'],
      ['too'],
    ]);
  });

  test('a client that was not told so sends none, although another one on the channel was', async () => {
    createGrpcChannel(container, 'backend', { address: plainServer.address });
    createGrpcClient(container, LeafClient, { name: 'safe', channel: 'backend' });
    createGrpcClient(container, LeafClient, {
      name: 'unsafe',
      channel: 'backend',
      callCredentials: [secret],
      unsafeUseInsecureChannelCallCredentials: true,
    });
    const token = credentials.createFromMetadataGenerator((_call, give) => give(null, new Metadata()));

    const call = getGrpcClient(container, LeafClient, 'unsafe').unary(REQUEST, { metadata: { [CASE_KEY]: 'told so' } });
    (await plainServer.arrived('told so')).answer();
    await call;
    const refused = getGrpcClient(container, LeafClient, 'safe').unary(REQUEST, {
      metadata: { [CASE_KEY]: 'not told so' },
      credentials: token,
    });

    await expect(refused).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    expect(plainServer.arrivals('not told so')).toBe(0);
  });
});
