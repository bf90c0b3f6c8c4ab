import 'reflect-metadata';
import { credentials, InterceptingCall, type Interceptor, Metadata, status } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcChannel,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { LeafClient, RelayClient } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable } from 'inversify';
import { type ConnectedClient, serveAll } from '../call/served-calls.js';
import { REQUEST } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';

let server: ConnectedClient & { readonly server: { readonly address: string } };
let address: string;
/** The request metadata and the deadlines of the calls that came. */
const seen: Array<{ metadata: Metadata; deadline: number }> = [];
beforeAll(async () => {
  server = await serveAll(({ call, answer }) => {
    seen.push({ metadata: call.metadata, deadline: Number(call.getDeadline()) });
    answer();
  });
  address = server.server.address;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

let container: Container;
let child: Container;
beforeEach(() => {
  seen.length = 0;
  container = new Container();
  child = new Container({ parent: container });
});
afterEach(async () => {
  for (const one of [child, container]) {
    if (one.isBound(GrpcClientFactory)) {
      await one.get(GrpcClientFactory).close({ cancelCalls: true });
    }
  }
});

/** An interceptor that leaves its name. */
function leaving(name: string): Interceptor {
  return (options, nextCall) => {
    trace.push(name);
    return new InterceptingCall(nextCall(options));
  };
}
let trace: string[] = [];
beforeEach(() => {
  trace = [];
});

async function metadataOf(leaf: GrpcClient<LeafClient>): Promise<Metadata> {
  await leaf.unary(REQUEST);
  return seen.at(-1)!.metadata;
}

describe('the defaults', () => {
  test.each<[title: string, steps: Array<'defaults' | 'client'>]>([
    ['before', ['defaults', 'client']],
    ['after', ['client', 'defaults']],
  ])('count, configured %s the registration', async (_title, steps) => {
    for (const step of steps) {
      if (step === 'defaults') {
        configureGrpcClientDefaults(container, { address, metadata: { 'x-app': 'shop' } });
      } else {
        createGrpcClient(container, LeafClient);
      }
    }

    expect((await metadataOf(getGrpcClient(container, LeafClient))).get('x-app')).toEqual(['shop']);
  });

  test('give way to what the client says, key by key', async () => {
    const metadata = new Metadata();
    metadata.add('x-many', 'a');
    metadata.add('x-many', 'b');
    configureGrpcClientDefaults(container, {
      address: 'localhost:1',
      timeoutMs: 1,
      metadata,
      channelOptions: { 'grpc.max_send_message_length': 1, 'grpc.primary_user_agent': 'defaults' },
    });
    configureGrpcClientDefaults(container, { metadata: { 'x-app': 'shop', 'x-tenant': 'none' } });
    createGrpcClient(container, LeafClient, {
      address,
      timeoutMs: 60_000,
      metadata: { 'x-tenant': 'acme' },
      channelOptions: { 'grpc.max_send_message_length': -1 },
    });

    const received = await metadataOf(getGrpcClient(container, LeafClient));

    expect(['x-many', 'x-app', 'x-tenant'].map((name) => received.get(name))).toEqual([['a, b'], ['shop'], ['acme']]);
    expect(received.get('user-agent')[0]).toMatch(/^defaults /);
    expect(seen[0]!.deadline - Date.now()).toBeGreaterThan(30_000);
  });

  test('a client can switch off', async () => {
    configureGrpcClientDefaults(container, { address, timeoutMs: 1, enableCallContextPropagation: true });
    createGrpcClient(container, LeafClient, { timeoutMs: Infinity, enableCallContextPropagation: false });

    await getGrpcClient(container, LeafClient).unary(REQUEST);

    expect(seen[0]!.deadline).toBe(Infinity);
  });

  test('reach clients that propagate', async () => {
    configureGrpcClientDefaults(container, { address, enableCallContextPropagation: { onContextNotFound: 'ignore' } });
    createGrpcClient(container, LeafClient, { enableCallContextPropagation: { deadlineMarginMs: 5_000 } });
    const leaf = getGrpcClient(container, LeafClient);
    const deadline = Date.now() + 60_000;

    await leaf.unary(REQUEST);
    await runInCallContext({ deadline }, () => leaf.unary(REQUEST));

    expect(seen[0]!.deadline).toBe(Infinity);
    expect(Math.abs(seen[1]!.deadline - (deadline - 5_000))).toBeLessThan(2_500);
  });

  test('stand outside what the client adds to lists; a child’s stand between', async () => {
    configureGrpcClientDefaults(child, { interceptors: [leaving('child')] });
    configureGrpcClientDefaults(container, { address, interceptors: [leaving('parent')] });
    configureGrpcClientDefaults(container, { interceptors: [leaving('parent, second')] });
    createGrpcClient(child, LeafClient, { interceptors: [leaving('client')] });
    createGrpcClient(container, LeafClient, { interceptors: [leaving('client of the parent')] });

    await getGrpcClient(child, LeafClient).unary(REQUEST, { interceptors: [leaving('call')] });
    expect(trace).toEqual(['call', 'parent', 'parent, second', 'child', 'client']);

    trace = [];
    await getGrpcClient(container, LeafClient).unary(REQUEST);
    expect(trace).toEqual(['parent', 'parent, second', 'client of the parent']);
  });

  test('of a child win over the parent’s, in the child alone', async () => {
    configureGrpcClientDefaults(container, { address, metadata: { 'x-app': 'parent', 'x-both': 'yes' } });
    configureGrpcClientDefaults(child, { metadata: { 'x-app': 'child' } });
    createGrpcClient(container, LeafClient);
    const ofParent = getGrpcClient(child, LeafClient);
    createGrpcClient(child, LeafClient);

    const received = [
      await metadataOf(ofParent),
      await metadataOf(getGrpcClient(child, LeafClient)),
      await metadataOf(getGrpcClient(container, LeafClient)),
    ];

    expect(received.map((metadata) => [metadata.get('x-app'), metadata.get('x-both')])).toEqual([
      [['parent'], ['yes']],
      [['child'], ['yes']],
      [['parent'], ['yes']],
    ]);
  });

  test('are copied: what becomes of the objects afterwards does not count', async () => {
    const metadata = new Metadata();
    metadata.set('x-app', 'shop');
    const interceptors = [leaving('first')];
    const options: GrpcClientOptions = { address, metadata, interceptors };
    configureGrpcClientDefaults(container, options);
    createGrpcClient(container, LeafClient);
    metadata.set('x-app', 'changed');
    interceptors.push(leaving('second'));
    options.address = 'localhost:1';

    expect((await metadataOf(getGrpcClient(container, LeafClient))).get('x-app')).toEqual(['shop']);
    expect(trace).toEqual(['first']);
  });

  test('of an address or a channel are for clients that bring neither', async () => {
    configureGrpcClientDefaults(container, { channel: 'backend' });
    createGrpcChannel(container, 'backend', { address });
    createGrpcChannel(container, 'other', { address: 'localhost:1' });
    createGrpcClient(container, LeafClient, { name: 'bare' });
    createGrpcClient(container, LeafClient, { name: 'addressed', address: 'localhost:2' });
    createGrpcClient(container, LeafClient, { name: 'sharing', channel: 'other' });

    const targets = ['bare', 'addressed', 'sharing'].map((name) =>
      getGrpcClient(container, LeafClient, name).getChannel().getTarget(),
    );

    expect(targets).toEqual([address, 'localhost:2', 'localhost:1']);
  });

  test('of an address give way to a client’s channel', async () => {
    configureGrpcClientDefaults(container, {
      address: 'https://users',
      credentials: credentials.createSsl(),
      channelOptions: { 'grpc.max_send_message_length': 1 },
      serviceConfig: {},
      metadata: { 'x-app': 'shop' },
    });
    createGrpcChannel(container, 'backend', {
      address: `http://${address}`,
      credentials: credentials.createInsecure(),
      channelOptions: { 'grpc.max_send_message_length': -1 },
    });
    createGrpcClient(container, LeafClient, { channel: 'backend' });

    expect((await metadataOf(getGrpcClient(container, LeafClient))).get('x-app')).toEqual(['shop']);
  });

  test('of call credentials come before the client’s', async () => {
    configureGrpcClientDefaults(container, {
      address,
      callCredentials: [() => ({ 'x-token': 'defaults' })],
      unsafeUseInsecureChannelCallCredentials: true,
    });
    createGrpcClient(container, LeafClient, { callCredentials: [() => ({ 'x-token': 'client' })] });

    expect((await metadataOf(getGrpcClient(container, LeafClient))).get('x-token')).toEqual(['defaults, client']);
  });

  test('of another container do not count', () => {
    configureGrpcClientDefaults(new Container(), { address });
    configureGrpcClientDefaults(child, { address });
    createGrpcClient(container, LeafClient);

    expect(() => getGrpcClient(child, LeafClient)).toThrow('it has no address');
  });
});

describe('an interceptor that the defaults name', () => {
  @injectable()
  class Session {
    readonly number = ++sessions;
  }
  let sessions = 0;

  @injectable()
  class Tracing {
    constructor(@inject(Session) private readonly session: Session) {}

    readonly intercept: Interceptor = (options, nextCall) => leaving(String(this.session.number))(options, nextCall);
  }

  beforeEach(() => {
    sessions = 0;
    container.bind(Tracing).toSelf();
  });

  test('is, in scope client, resolved for each created client, in the request and the container that ask', async () => {
    @injectable()
    class Consumer {
      constructor(
        @inject(LeafClient) readonly leaf: GrpcClient<LeafClient>,
        @inject(Session) readonly session: Session,
      ) {}
    }
    configureGrpcClientDefaults(container, { address, interceptors: [{ interceptor: Tracing, scope: 'client' }] });
    createGrpcClient(container, LeafClient);
    child.bind(Session).toSelf().inRequestScope();

    for (const expected of ['1', '2']) {
      const { leaf, session } = child.get(Consumer, { autobind: true });
      await leaf.unary(REQUEST);
      expect([trace.pop(), session.number]).toEqual([expected, Number(expected)]);
    }
    const created = container.get(GrpcClientFactory);
    expect(() => created.createClient(LeafClient)).toThrow();
  });

  test('is, in scope channel, resolved once for each registration', async () => {
    configureGrpcClientDefaults(container, { address, interceptors: [{ interceptor: Tracing }] });
    container.bind(Session).toSelf();
    createGrpcClient(container, LeafClient);
    createGrpcClient(container, LeafClient, { name: 'other' });

    for (const name of [LEAF, LEAF, 'other']) {
      await getGrpcClient(container, LeafClient, name).unary(REQUEST);
    }

    expect(trace).toEqual(['1', '1', '2']);
  });

  test('and the client too, runs twice', async () => {
    configureGrpcClientDefaults(container, { address, interceptors: [{ interceptor: Tracing, scope: 'client' }] });
    configureGrpcClientDefaults(container, { interceptors: [{ interceptor: Tracing, scope: 'client' }] });
    container.bind(Session).toSelf().inSingletonScope();
    createGrpcClient(container, LeafClient, { interceptors: [{ interceptor: Tracing, scope: 'client' }] });

    await getGrpcClient(container, LeafClient).unary(REQUEST);

    expect(trace).toEqual(['1', '1', '1']);
  });

  test('and nobody bound, is an error, at the first use and in validate()', () => {
    configureGrpcClientDefaults(container, {
      address,
      interceptors: [{ interceptor: 'nothing', scope: 'client' }, { interceptor: Tracing }],
    });
    createGrpcClient(container, LeafClient);
    container.bind(Session).toSelf();
    const text = `gRPC client '${LEAF}': its options name 'nothing', which is not bound: write container.bind('nothing').to(...)`;

    expect(() => container.get(GrpcClientFactory).validate()).toThrow(text);
    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(text));
  });
});

describe('after the first use', () => {
  const USED = new Error(
    'gRPC client defaults: a client was already used: configure the defaults before the first client is resolved',
  );

  test('defaults are an error, and change nothing', async () => {
    configureGrpcClientDefaults(container, { address, metadata: { 'x-app': 'shop' } });
    createGrpcClient(container, LeafClient);
    createGrpcClient(container, LeafClient, { name: 'unused' });
    getGrpcClient(container, LeafClient);

    expect(() => configureGrpcClientDefaults(container, { metadata: { 'x-app': 'late' } })).toThrow(USED);
    expect((await metadataOf(getGrpcClient(container, LeafClient, 'unused'))).get('x-app')).toEqual(['shop']);
  });

  test('of a client in a child container, too', () => {
    configureGrpcClientDefaults(container, { address });
    createGrpcClient(child, LeafClient);
    getGrpcClient(child, LeafClient);

    expect(() => configureGrpcClientDefaults(container, { timeoutMs: 1 })).toThrow(USED);
  });

  test('where there were none before, too', () => {
    createGrpcClient(container, LeafClient, { address });
    getGrpcClient(container, LeafClient);

    expect(() => configureGrpcClientDefaults(container, { timeoutMs: 1 })).toThrow(USED);
  });

  test('of a client in another container, they are none', () => {
    createGrpcClient(container, LeafClient, { address });
    getGrpcClient(container, LeafClient);

    configureGrpcClientDefaults(child, { timeoutMs: 1 });
  });
});

describe('wrong defaults', () => {
  const OWNER = 'gRPC client defaults: ';
  const KNOWN =
    'address, credentials, channelOptions, serviceConfig, channel, interceptors, callCredentials, ' +
    'unsafeUseInsecureChannelCallCredentials, metadata, timeoutMs, waitForReady, enableCallContextPropagation';

  test.each<[options: unknown, name: string, text: string]>([
    [null, 'TypeError', "options must be an object such as { address: 'https://users:50051' }, not null"],
    [{ name: 'users' }, 'TypeError', `unknown option "name"; there are ${KNOWN}`],
    [{ methods: { unary: { timeoutMs: 5 } } }, 'TypeError', `unknown option "methods"; there are ${KNOWN}`],
    [{ createClient: () => ({}) }, 'TypeError', `unknown option "createClient"; there are ${KNOWN}`],
    [{ timeoutMs: '5' }, 'TypeError', "timeoutMs must be a number of milliseconds (Infinity for no deadline), not '5'"],
    [
      { address: 'localhost:1', channel: 'backend' },
      'Error',
      "it has both channel and address: pass address to createGrpcChannel(container, 'backend', { ... })",
    ],
  ])('%p', async (options, name, text) => {
    let thrown: unknown;
    try {
      configureGrpcClientDefaults(container, options as GrpcClientOptions);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toMatchObject({ name, message: OWNER + text });
    configureGrpcClientDefaults(container, { address });
    createGrpcClient(container, LeafClient);
    await getGrpcClient(container, LeafClient).unary(REQUEST);
  });

  test('no container', () => {
    expect(() => configureGrpcClientDefaults({} as Container, {})).toThrow(
      new TypeError('configureGrpcClientDefaults: container must be an inversify Container, not {}'),
    );
  });

  test('an address for a channel of the defaults, in two calls', () => {
    configureGrpcClientDefaults(container, { channel: 'backend' });

    expect(() => configureGrpcClientDefaults(container, { address })).toThrow(
      new Error(
        `${OWNER}it has both channel and address: pass address to createGrpcChannel(container, 'backend', { ... })`,
      ),
    );
  });

  test('that a client cannot have show at its first use', () => {
    configureGrpcClientDefaults(container, { channel: 'backend' });
    createGrpcChannel(container, 'backend', { address });
    createGrpcClient(container, LeafClient, { credentials: credentials.createSsl() });
    createGrpcClient(container, RelayClient);
    const text = `gRPC client '${LEAF}': it has both channel and credentials: pass credentials to createGrpcChannel(container, 'backend', { ... })`;

    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(text));
    expect(() => container.get(GrpcClientFactory).validate()).toThrow(`1 gRPC client(s) cannot be used:\n- ${text}`);
  });
});

test('unbindAll() takes the defaults too', async () => {
  configureGrpcClientDefaults(container, { address });
  createGrpcClient(container, LeafClient);
  const leaf = getGrpcClient(container, LeafClient);
  container.unbindAll();

  configureGrpcClientDefaults(container, { metadata: { 'x-app': 'new' } });
  createGrpcClient(container, LeafClient);
  expect(() => getGrpcClient(container, LeafClient)).toThrow('it has no address');
  await expect(leaf.unary(REQUEST)).rejects.toMatchObject({ code: status.UNAVAILABLE });
});
