import 'reflect-metadata';
import { Client, credentials, InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcChannel,
  createGrpcClient,
  type GrpcClient,
  type GrpcClientConstructor,
  GrpcClientFactory,
  type GrpcClientOptions,
  type GrpcInterceptor,
  getGrpcClient,
  grpcClientModule,
  withCallContextPropagation,
} from '@grpc-di/client-factory';
import { LeafClient, RelayClient, type RunningServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { serverOf, startNamedServer } from './named-server.js';

// What users read when they get something wrong, in full. What is wrong with a registration comes from createGrpcClient
// itself, and leaves the container as it was. What is wrong with a service config has a test of its own.

const LEAF = "gRPC client 'grpc_di.test.v1.Leaf': ";
const insecure = credentials.createInsecure();
const secure = credentials.createSsl();

const intercept: Interceptor = (options, nextCall) => new InterceptingCall(nextCall(options));
class Auth implements GrpcInterceptor {
  intercept = intercept;
}

let server: RunningServer;
beforeAll(async () => {
  server = await startNamedServer('earlier');
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

describe.each<
  [title: string, errorClass: ErrorConstructor, rows: Array<[wrong: object | null | string, text: string]>]
>([
  [
    'options as a whole',
    TypeError,
    [
      [null, "options must be an object such as { address: 'https://users:50051' }, not null"],
      ['https://users', "options must be an object such as { address: 'https://users:50051' }, not 'https://users'"],
      [[], "options must be an object such as { address: 'https://users:50051' }, not []"],
      [
        { adress: 'https://users' },
        'unknown option "adress"; there are name, address, credentials, channelOptions, serviceConfig, channel, ' +
          'interceptors, callCredentials, unsafeUseInsecureChannelCallCredentials, metadata, timeoutMs, waitForReady, ' +
          'enableCallContextPropagation, methods, createClient',
      ],
    ],
  ],
  [
    'address',
    TypeError,
    [
      [
        { address: 50051 },
        "address must be a gRPC target such as 'dns:users:50051', an http(s) URL or a function that returns one, not 50051",
      ],
      [
        { address: null },
        "address must be a gRPC target such as 'dns:users:50051', an http(s) URL or a function that returns one, not null",
      ],
      [
        { address: { host: 'users', port: 50051 } },
        "address must be a gRPC target such as 'dns:users:50051', an http(s) URL or a function that returns one, not { host: 'users', port: 50051 }",
      ],
    ],
  ],
  [
    'address',
    Error,
    [
      [
        { address: '' },
        "address is empty: write a gRPC target such as 'dns:users:50051', or a URL such as 'https://users:50051'",
      ],
      [
        { address: '  ' },
        "address is empty: write a gRPC target such as 'dns:users:50051', or a URL such as 'https://users:50051'",
      ],
      [{ address: 'users: 50051' }, "address 'users: 50051' must not contain white space"],
      ...[
        'users:undefined',
        'users:',
        ':50051',
        'users:0',
        'users:65536',
        'users:50051/v1',
        'a:1,b:2',
        '2001:db8::1:g',
        '[::1',
        '[users]:1',
        'me@users',
        'dns://users:50051',
      ].map((address): [object, string] => [
        { address },
        `address '${address}' is no gRPC target: expected host:port, with a port from 1 to 65535; lists of addresses are for 'ipv4:' and 'ipv6:'`,
      ]),
      ...['ipv4:users:50051', 'ipv4:10.0.0.1:50051,', 'ipv4:[::1]:50051'].map((address): [object, string] => [
        { address },
        `address '${address}' is no gRPC target: expected 'ipv4:' and IPv4 addresses with a port from 1 to 65535, separated by commas`,
      ]),
      ...['ipv6:10.0.0.1:50051', 'ipv6:[::1]:0'].map((address): [object, string] => [
        { address },
        `address '${address}' is no gRPC target: expected 'ipv6:' and IPv6 addresses with a port from 1 to 65535, such as [::1]:50051, separated by commas`,
      ]),
      ...['dns:', 'unix:', 'unix://', 'xds:///'].map((address): [object, string] => [
        { address },
        `address '${address}' is no gRPC target: there is nothing behind the scheme`,
      ]),
      ...['https://', 'https://users:99999', 'http://a b'].map((address): [object, string] => [
        { address },
        `address '${address}' is no valid URL`,
      ]),
      ...['https://users/v1', 'https://users?v=1', 'https://users#v1'].map((address): [object, string] => [
        { address },
        `address '${address}' must be no more than scheme, host and port: a gRPC channel has no path or query`,
      ]),
      [
        { address: new URL('https://users/v1') },
        "address 'https://users/v1' must be no more than scheme, host and port: a gRPC channel has no path or query",
      ],
      [
        { address: 'https://me:secret@users/v1' },
        "address 'https://...@users' must not contain a user or password: use call credentials",
      ],
      [
        { address: 'https://users', credentials: insecure },
        "address 'https://users' is https, and the credentials are insecure: leave them out, use credentials.createSsl(), or write http",
      ],
      [
        { address: 'http://users', credentials: secure },
        "address 'http://users' is http, and the credentials are for TLS: write https",
      ],
    ],
  ],
  [
    'credentials',
    TypeError,
    [
      [
        { credentials: 'insecure' },
        "credentials must be ChannelCredentials of @grpc/grpc-js, such as credentials.createSsl(), not 'insecure'",
      ],
      [
        { credentials: {} },
        'credentials must be ChannelCredentials of @grpc/grpc-js, such as credentials.createSsl(), not {}',
      ],
      [
        { credentials: credentials.createFromMetadataGenerator(() => {}) },
        'credentials must be ChannelCredentials of @grpc/grpc-js, such as credentials.createSsl(), not SingleCallCredentials { metadataGenerator: [Function (anonymous)] }',
      ],
    ],
  ],
  [
    'channelOptions',
    TypeError,
    [
      [{ channelOptions: 5 }, 'channelOptions must be an object, not 5'],
      [
        { channelOptions: ['grpc.max_concurrent_streams'] },
        "channelOptions must be an object, not [ 'grpc.max_concurrent_streams' ]",
      ],
      [{ channelOptions: new Map() }, 'channelOptions must be an object, not Map(0) {}'],
      [{ channelOptions: null }, 'channelOptions must be an object, not null'],
    ],
  ],
  [
    'metadata',
    TypeError,
    [
      [
        { metadata: 'x-tenant' },
        "metadata must be a Metadata of @grpc/grpc-js or an object of strings, not 'x-tenant'",
      ],
      [
        { metadata: [['x-tenant', 'a']] },
        'metadata must be a Metadata of @grpc/grpc-js or an object of strings, not [ [Array] ]',
      ],
      [{ metadata: null }, 'metadata must be a Metadata of @grpc/grpc-js or an object of strings, not null'],
      [
        { metadata: { 'x-tenant': 5 } },
        "metadata 'x-tenant' must be a string, or a Buffer under a name in -bin, not 5",
      ],
      [
        { metadata: { 'x-tenant': undefined } },
        "metadata 'x-tenant' must be a string, or a Buffer under a name in -bin, not undefined",
      ],
      [{ metadata: { 'x tenant': 'a' } }, 'metadata \'x tenant\': Metadata key "x tenant" contains illegal characters'],
      [
        // The value may be a secret.
        { metadata: { 'x-token': 's3cret\n' } },
        "metadata 'x-token' has characters that metadata cannot hold, such as a line break at its end",
      ],
      [{ metadata: { 'x-id-bin': 'a' } }, "metadata 'x-id-bin': keys that end with '-bin' must have Buffer values"],
    ],
  ],
  [
    'callCredentials',
    TypeError,
    [
      [{ callCredentials: () => ({}) }, 'callCredentials must be an array, not [Function: callCredentials]'],
      [{ callCredentials: null }, 'callCredentials must be an array, not null'],
      ...(
        [
          [5, '5'],
          [null, 'null'],
          [undefined, 'undefined'],
          [{ getMetadata: 5 }, '{ getMetadata: 5 }'],
          [[], '[]'],
          [insecure, 'InsecureChannelCredentialsImpl {}'],
        ] as const
      ).map(([wrong, shown]): [object, string] => [
        { callCredentials: [() => ({}), wrong] },
        'callCredentials[1] must be CallCredentials of @grpc/grpc-js, a function that returns metadata, or the ' +
          `identifier of an object with a getMetadata method, not ${shown}`,
      ]),
    ],
  ],
  [
    'unsafeUseInsecureChannelCallCredentials',
    TypeError,
    [
      [
        { unsafeUseInsecureChannelCallCredentials: 'yes' },
        "unsafeUseInsecureChannelCallCredentials must be a boolean, not 'yes'",
      ],
    ],
  ],
  [
    'channel',
    TypeError,
    [
      [{ channel: '' }, "channel must be a string that is not empty, not ''"],
      [{ channel: 5 }, 'channel must be a string that is not empty, not 5'],
    ],
  ],
  [
    'timeoutMs',
    TypeError,
    [
      [{ timeoutMs: '500' }, "timeoutMs must be a number of milliseconds (Infinity for no deadline), not '500'"],
      [{ timeoutMs: Number.NaN }, 'timeoutMs must be a number of milliseconds (Infinity for no deadline), not NaN'],
      [{ timeoutMs: null }, 'timeoutMs must be a number of milliseconds (Infinity for no deadline), not null'],
    ],
  ],
  [
    'enableCallContextPropagation',
    TypeError,
    [
      ...[
        ['yes', "must be a boolean or an object of options, not 'yes'"],
        [null, 'must be a boolean or an object of options, not null'],
        [[], 'must be a boolean or an object of options, not []'],
        [new Set(), 'must be a boolean or an object of options, not Set(0) {}'],
      ].map(([value, text]): [object, string] => [
        { enableCallContextPropagation: value },
        `enableCallContextPropagation ${text as string}`,
      ]),
      ...(
        [
          [
            { deadlines: true },
            'deadlines is unknown; there are deadline, cancellation, metadata, deadlineMarginMs, onContextNotFound',
          ],
          [{ deadline: 500 }, 'deadline must be a boolean, not 500'],
          [{ cancellation: 'no' }, "cancellation must be a boolean, not 'no'"],
          [
            { metadata: 'x-request-id' },
            "metadata must be an array of metadata names, each written out, such as ['x-request-id'], not 'x-request-id'",
          ],
          [
            { metadata: ['x-*'] },
            "metadata must be an array of metadata names, each written out, such as ['x-request-id'], not [ 'x-*' ]",
          ],
          [
            { metadata: ['grpc-timeout'] },
            "metadata must be an array of metadata names, each written out, such as ['x-request-id'], not [ 'grpc-timeout' ]",
          ],
          [
            { metadata: [/x-.*/] },
            "metadata must be an array of metadata names, each written out, such as ['x-request-id'], not [ /x-.*/ ]",
          ],
          [{ deadlineMarginMs: -1 }, 'deadlineMarginMs must be a number of milliseconds, 0 or more, not -1'],
          [{ deadlineMarginMs: Number.NaN }, 'deadlineMarginMs must be a number of milliseconds, 0 or more, not NaN'],
          [
            { deadlineMarginMs: Infinity },
            'deadlineMarginMs must be a number of milliseconds, 0 or more, not Infinity',
          ],
          [{ deadlineMarginMs: '5' }, "deadlineMarginMs must be a number of milliseconds, 0 or more, not '5'"],
          [{ onContextNotFound: 'ignored' }, "onContextNotFound must be 'throw', 'warn' or 'ignore', not 'ignored'"],
          [{ onContextNotFound: false }, "onContextNotFound must be 'throw', 'warn' or 'ignore', not false"],
        ] as Array<[object, string]>
      ).map(([value, text]): [object, string] => [
        { enableCallContextPropagation: value },
        `enableCallContextPropagation.${text}`,
      ]),
    ],
  ],
  [
    'interceptors',
    TypeError,
    [
      [{ interceptors: 'auth' }, "interceptors must be an array, not 'auth'"],
      [{ interceptors: null }, 'interceptors must be an array, not null'],
      [{ interceptors: { interceptor: 'auth' } }, "interceptors must be an array, not { interceptor: 'auth' }"],
      [
        { interceptors: [Auth] },
        'interceptors[0] is a class: write { interceptor: Auth }, and bind the class in the container',
      ],
      ...[
        ['auth', "'auth'"],
        [Symbol('auth'), 'Symbol(auth)'],
        [null, 'null'],
        [[], '[]'],
      ].map(([entry, shown]): [object, string] => [
        { interceptors: [intercept, entry] },
        `interceptors[1] must be an interceptor of grpc-js, (options, nextCall) => call, or { interceptor, scope }, not ${shown as string}`,
      ]),
      ...[
        [{}, 'undefined'],
        [{ interceptor: null }, 'null'],
        [{ interceptor: { intercept } }, '{ intercept: [Function: intercept] }'],
      ].map(([entry, shown]): [object, string] => [
        { interceptors: [entry] },
        `interceptors[0].interceptor must be an interceptor of grpc-js or the identifier of an object with an intercept method, not ${shown as string}`,
      ]),
      [
        { interceptors: [{ interceptor: Auth, scope: 'request' }] },
        "interceptors[0].scope must be 'channel' or 'client', not 'request'",
      ],
      [
        { interceptors: [{ interceptor: Auth, scope: null }] },
        "interceptors[0].scope must be 'channel' or 'client', not null",
      ],
      [
        { interceptors: [{ interceptor: Auth, scopes: 'client' }] },
        'interceptors[0]: unknown key "scopes"; there are interceptor, scope',
      ],
    ],
  ],
  [
    'waitForReady',
    TypeError,
    [
      [{ waitForReady: 'yes' }, "waitForReady must be a boolean, not 'yes'"],
      [{ waitForReady: null }, 'waitForReady must be a boolean, not null'],
    ],
  ],
  [
    'methods',
    TypeError,
    [
      [{ methods: [] }, 'methods must be an object such as { getUser: { timeoutMs: 500 } }, not []'],
      [{ methods: null }, 'methods must be an object such as { getUser: { timeoutMs: 500 } }, not null'],
      [
        { methods: { unari: { timeoutMs: 5 } } },
        'methods.unari: the client has no such rpc; there are unary, serverStream, clientStream, bidi',
      ],
      [
        { methods: { toString: { timeoutMs: 5 } } },
        'methods.toString: the client has no such rpc; there are unary, serverStream, clientStream, bidi',
      ],
      [{ methods: { unary: 500 } }, 'methods.unary must be an object such as { timeoutMs: 500 }, not 500'],
      [{ methods: { unary: undefined } }, 'methods.unary must be an object such as { timeoutMs: 500 }, not undefined'],
      [
        { methods: { unary: { timeout: 5 } } },
        'methods.unary: unknown option "timeout"; there are timeoutMs, waitForReady',
      ],
      [
        { methods: { Unary: { timeoutMs: '5' } } },
        "methods.Unary.timeoutMs must be a number of milliseconds (Infinity for no deadline), not '5'",
      ],
      [
        { methods: { unary: { timeoutMs: Number.NaN } } },
        'methods.unary.timeoutMs must be a number of milliseconds (Infinity for no deadline), not NaN',
      ],
      [{ methods: { unary: { waitForReady: 1 } } }, 'methods.unary.waitForReady must be a boolean, not 1'],
    ],
  ],
  [
    'createClient',
    TypeError,
    [
      [{ createClient: 'leaf' }, "createClient must be a function (channel, container) => client, not 'leaf'"],
      [{ createClient: null }, 'createClient must be a function (channel, container) => client, not null'],
      [{ createClient: Auth }, 'createClient must be a function (channel, container) => client, not [class Auth]'],
    ],
  ],
])('wrong %s: %p', (_title, errorClass, rows) => {
  test.each(rows)('%p', async (wrong, text) => {
    const options = wrong as GrpcClientOptions;

    // Of the first registration.
    expect(thrownBy(() => createGrpcClient(container, LeafClient, options))).toEqual([errorClass.name, LEAF + text]);
    expect(container.isBound(LeafClient)).toBe(false);
    expect(container.isBound(GrpcClientFactory)).toBe(false);

    // Of one that would change an earlier one.
    createGrpcClient(container, LeafClient, { address: server.address });
    expect(thrownBy(() => createGrpcClient(container, LeafClient, options))).toEqual([errorClass.name, LEAF + text]);
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('earlier');
  });
});

describe('a wrong name', () => {
  test.each<[unknown, string]>([
    [5, "gRPC client '5': name must be a string that is not empty, not 5"],
    ['', "gRPC client '': name must be a string that is not empty, not ''"],
  ])('%p', (name, text) => {
    expect(thrownBy(() => createGrpcClient(container, LeafClient, { name: name as string }))).toEqual([
      'TypeError',
      text,
    ]);
    expect(container.isBound(LeafClient)).toBe(false);
  });

  test('of another class', async () => {
    createGrpcClient(container, LeafClient, { name: 'shared', address: server.address });

    expect(
      thrownBy(() => createGrpcClient(container, RelayClient, { name: 'shared', address: server.address })),
    ).toEqual([
      'Error',
      "gRPC client 'shared' is already registered with another class (LeafClient): give one of the two a name of its own, createGrpcClient(container, RelayClient, { name: '...' })",
    ]);
    expect(container.isBound(RelayClient)).toBe(false);
    expect(await serverOf(getGrpcClient(container, LeafClient, 'shared'))).toBe('earlier');
  });

  test('that a class without rpcs has none to begin with', () => {
    class BareClient extends Client {}

    expect(thrownBy(() => createGrpcClient(container, BareClient, { address: server.address }))).toEqual([
      'Error',
      'gRPC client BareClient has no rpc to take a name from: register it with a name',
    ]);
    expect(container.isBound(BareClient)).toBe(false);
    createGrpcClient(container, BareClient, { name: 'bare', address: server.address });
    expect(thrownBy(() => container.get(BareClient))).toEqual([
      'Error',
      "gRPC client BareClient has no default name, having no rpcs: inject it with @inject(BareClient) @named('bare').",
    ]);
    expect(getGrpcClient(container, BareClient, 'bare')).toBeInstanceOf(BareClient);
  });
});

describe('options that contradict those of an earlier registration', () => {
  test.each<[GrpcClientOptions, GrpcClientOptions, string]>([
    [
      { address: 'https://users' },
      { credentials: insecure },
      "address 'https://users' is https, and the credentials are insecure: leave them out, use credentials.createSsl(), or write http",
    ],
    [
      { credentials: secure },
      { address: 'http://users' },
      "address 'http://users' is http, and the credentials are for TLS: write https",
    ],
  ])('%p and %p', (earlier, later, text) => {
    createGrpcClient(container, LeafClient, earlier);

    expect(thrownBy(() => createGrpcClient(container, LeafClient, later))).toEqual(['Error', LEAF + text]);
    createGrpcClient(container, LeafClient, { address: 'localhost:1' });
    container.get(GrpcClientFactory).validate();
  });
});

describe('no client class', () => {
  const rest =
    ' is no generated gRPC client class: pass one that extends Client of this very @grpc/grpc-js, such as the UsersClient that ts-proto generates (outputServices=grpc-js)';

  test.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['LeafClient', "'LeafClient'"],
    [{}, '{}'],
    [Map, '[Function: Map]'],
    [class Users {}, '[class Users]'],
    [() => {}, '[Function (anonymous)]'],
    [Client, '[class Client]'],
  ])('%p', (wrong, shown) => {
    const client = wrong as GrpcClientConstructor<LeafClient>;

    expect(thrownBy(() => createGrpcClient(container, client, {}))).toEqual([
      'TypeError',
      `createGrpcClient: ${shown}${rest}`,
    ]);
    expect(thrownBy(() => getGrpcClient(container, client))).toEqual(['TypeError', `getGrpcClient: ${shown}${rest}`]);
    expect(container.isBound(GrpcClientFactory)).toBe(false);
  });
});

describe('no container', () => {
  test.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, '{}'],
    [Container, '[class Container]'],
  ])('%p', (wrong, shown) => {
    const text = `container must be an inversify Container, not ${shown}`;

    expect(thrownBy(() => createGrpcClient(wrong as Container, LeafClient))).toEqual([
      'TypeError',
      `createGrpcClient: ${text}`,
    ]);
    expect(thrownBy(() => getGrpcClient(wrong as Container, LeafClient))).toEqual([
      'TypeError',
      `getGrpcClient: ${text}`,
    ]);
  });
});

test('a class with another binding', () => {
  const fake = {} as GrpcClient<LeafClient>;
  container.bind(LeafClient).toConstantValue(fake);

  expect(thrownBy(() => createGrpcClient(container, LeafClient, { address: server.address }))).toEqual([
    'Error',
    'gRPC client LeafClient cannot be registered: the container has another binding of the class. Unbind that first.',
  ]);
  expect(container.get(LeafClient)).toBe(fake);
});

describe('a createClient hook that returns', () => {
  test.each<[what: string, createClient: () => unknown, text: string]>([
    ['null', () => null, 'its createClient returned null: return the client'],
    ['nothing', () => {}, 'its createClient returned undefined: return the client'],
    ['a string', () => 'client', "its createClient returned 'client': return the client"],
    ['a number', () => 5, 'its createClient returned 5: return the client'],
    [
      'a promise that fails',
      async () => {
        throw new Error('no luck');
      },
      'its createClient returned a promise: make the client synchronously',
    ],
    ['a promise', async () => ({}), 'its createClient returned a promise: make the client synchronously'],
    ['a plain object', () => ({}), 'its createClient returned {}, which is no instance of LeafClient'],
    ['a class', () => Auth, 'its createClient returned [class Auth], which is no instance of LeafClient'],
    [
      'a client of another class',
      () => Object.create(RelayClient.prototype) as object,
      'its createClient returned ServiceClientImpl {}, which is no instance of LeafClient',
    ],
  ])('%s', (_what, createClient, text) => {
    createGrpcClient(container, LeafClient, { address: server.address, createClient: createClient as never });

    expect(thrownBy(() => getGrpcClient(container, LeafClient))).toEqual(['TypeError', LEAF + text]);
  });
});

describe('a client that is no generated class', () => {
  const createClient = (): object => ({});

  test.each<[identifier: unknown, options: object, errorClass: string, text: string]>([
    [
      'greeter',
      { createClient },
      'Error',
      "gRPC client 'greeter' is no generated class to take a name from: register it with a name",
    ],
    [
      Auth,
      { createClient },
      'Error',
      'gRPC client Auth is no generated class to take a name from: register it with a name',
    ],
    [
      5,
      { name: 'five', createClient },
      'TypeError',
      'createGrpcClient: 5 is neither a generated client class nor a service identifier (a class, a symbol or a string)',
    ],
    [
      {},
      { name: 'object', createClient },
      'TypeError',
      'createGrpcClient: {} is neither a generated client class nor a service identifier (a class, a symbol or a string)',
    ],
    [
      () => {},
      { name: 'arrow', createClient },
      'TypeError',
      'createGrpcClient: [Function (anonymous)] is neither a generated client class nor a service identifier (a class, a symbol or a string)',
    ],
    [
      'greeter',
      { name: 'greeter' },
      'TypeError',
      "createGrpcClient: 'greeter' is no generated gRPC client class: pass one that extends Client of this very @grpc/grpc-js, such as the UsersClient that ts-proto generates (outputServices=grpc-js)",
    ],
    [
      'greeter',
      { name: 'greeter', createClient: Auth },
      'TypeError',
      "gRPC client 'greeter': createClient must be a function (channel, container) => client, not [class Auth]",
    ],
  ])('%p %p', (identifier, options, errorClass, text) => {
    const register = (): void =>
      createGrpcClient(container, identifier as string, { address: server.address, ...options } as never);

    expect(thrownBy(register)).toEqual([errorClass, text]);
    expect(container.isBound(GrpcClientFactory)).toBe(false);
  });

  test('under a name that a client of another identifier has', () => {
    createGrpcClient(container, 'greeter', { name: 'greeter', createClient });

    expect(thrownBy(() => createGrpcClient(container, Symbol('second'), { name: 'greeter', createClient }))).toEqual([
      'Error',
      "gRPC client 'greeter' is already registered with another class ('greeter'): give one of the two a name of its own, createGrpcClient(container, Symbol(second), { name: '...' })",
    ]);
  });

  test('under an identifier that something else is bound to', () => {
    container.bind('greeter').toConstantValue({});

    expect(thrownBy(() => createGrpcClient(container, 'greeter', { name: 'greeter', createClient }))).toEqual([
      'Error',
      "gRPC client 'greeter' cannot be registered: the container has another binding of the class. Unbind that first.",
    ]);
  });

  test('bare, under two names', () => {
    createGrpcClient(container, 'greeter', { name: 'first', createClient });
    createGrpcClient(container, 'greeter', { name: 'second', createClient });

    expect(thrownBy(() => container.get('greeter'))).toEqual([
      'Error',
      "gRPC client 'greeter' is registered as 'first', 'second': inject one of those with @inject('greeter') @named('first').",
    ]);
  });
});

describe.each(['channel', 'client'] as const)('an interceptor of scope %s', (scope) => {
  test.each<[what: string, interceptor: unknown, bind: () => unknown, errorClass: string, text: string]>([
    [
      'a class that is not bound',
      Auth,
      () => {},
      'Error',
      'its options name Auth, which is not bound: write container.bind(Auth).toSelf()',
    ],
    [
      'a string that is not bound',
      'auth',
      () => {},
      'Error',
      "its options name 'auth', which is not bound: write container.bind('auth').to(...)",
    ],
    [
      'a symbol that is not bound',
      Symbol.for('auth'),
      () => {},
      'Error',
      'its options name Symbol(auth), which is not bound: write container.bind(Symbol(auth)).to(...)',
    ],
    [
      'an object without intercept',
      'auth',
      () => container.bind('auth').toConstantValue({ intercepts: 5 }),
      'TypeError',
      "the container has { intercepts: 5 } as interceptor 'auth': it needs a method intercept(options, nextCall)",
    ],
    [
      'null',
      'auth',
      () => container.bind('auth').toConstantValue(null),
      'TypeError',
      "the container has null as interceptor 'auth': it needs a method intercept(options, nextCall)",
    ],
    [
      'a function, which needs no container',
      'auth',
      () => container.bind('auth').toConstantValue(intercept),
      'TypeError',
      "the container has [Function: intercept] as interceptor 'auth': it needs a method intercept(options, nextCall)",
    ],
  ])('%s', (what, interceptor, bind, errorClass, text) => {
    createGrpcClient(container, LeafClient, {
      address: server.address,
      interceptors: [{ interceptor: interceptor as string, scope }],
    });
    bind();
    const factory = container.get(GrpcClientFactory);

    expect(thrownBy(() => container.get(LeafClient))).toEqual([errorClass, LEAF + text]);
    expect(thrownBy(() => factory.createClient(LeafClient))).toEqual([errorClass, LEAF + text]);
    expect(thrownBy(() => factory.createClient(LeafClient, undefined, { address: server.address }))).toEqual([
      errorClass,
      LEAF + text,
    ]);
    // What depends on who asks is looked up, and not made.
    if (scope === 'channel' || what.includes('not bound')) {
      expect(thrownBy(() => factory.validate())).toEqual([
        'AggregateError',
        `1 gRPC client(s) cannot be used:\n- ${LEAF}${text}`,
      ]);
    }
  });
});

describe('an interceptor of scope channel', () => {
  test.each<[what: string, bind: () => unknown, text: string]>([
    [
      'that is made asynchronously',
      () => container.bind('auth').toDynamicValue(() => Promise.resolve({ intercept })),
      'Unexpected asynchronous service when resolving service "auth"',
    ],
    [
      'that fails to be made',
      () =>
        container.bind('auth').toDynamicValue(() => {
          throw new Error('the vault is sealed');
        }),
      'the vault is sealed',
    ],
    [
      'that needs the client itself',
      () => container.bind('auth').toResolvedValue((leaf: LeafClient) => ({ intercept, leaf }), [LeafClient]),
      "its interceptor 'auth' needs the client itself: give it one of another name, registered without that interceptor",
    ],
  ])('%s', (_what, bind, text) => {
    createGrpcClient(container, LeafClient, { address: server.address, interceptors: [{ interceptor: 'auth' }] });
    bind();

    expect(thrownBy(() => container.get(LeafClient))).toEqual(['Error', LEAF + text]);
    expect(thrownBy(() => container.get(GrpcClientFactory).validate())).toEqual([
      'AggregateError',
      `1 gRPC client(s) cannot be used:\n- ${LEAF}${text}`,
    ]);
  });
});

// The rest, each by the shortest way to it.
describe('what comes later than a registration, or is none', () => {
  const address = 'http://127.0.0.1:1';
  const OTHERS =
    'address, credentials, channelOptions, serviceConfig, channel, interceptors, callCredentials, ' +
    'unsafeUseInsecureChannelCallCredentials, metadata, timeoutMs, waitForReady, enableCallContextPropagation';

  /** Registers a leaf client, and gets it. */
  function useLeaf(options: object): void {
    createGrpcClient(container, LeafClient, options);
    getGrpcClient(container, LeafClient);
  }
  const factory = (): GrpcClientFactory => container.get(GrpcClientFactory);

  test.each<[what: string, act: () => unknown, errorClass: string, text: string]>([
    [
      'a client that was used',
      () => {
        useLeaf({ address });
        createGrpcClient(container, LeafClient, { address });
      },
      'Error',
      "gRPC client 'grpc_di.test.v1.Leaf' was already used, and cannot be registered again: register all clients before the " +
        'first is resolved',
    ],
    [
      'a channel that was used',
      () => {
        createGrpcChannel(container, 'shared', { address });
        useLeaf({ channel: 'shared' });
        createGrpcChannel(container, 'shared', { address });
      },
      'Error',
      "gRPC channel 'shared' was already used, and cannot be registered again: register all channels before the first client " +
        'is resolved',
    ],
    [
      'defaults after the first use',
      () => {
        useLeaf({ address });
        configureGrpcClientDefaults(container, { timeoutMs: 1 });
      },
      'Error',
      'gRPC client defaults: a client was already used: configure the defaults before the first client is resolved',
    ],
    [
      'defaults that only one client can have',
      () => configureGrpcClientDefaults(container, { methods: {} }),
      'TypeError',
      `gRPC client defaults: unknown option "methods"; there are ${OTHERS}`,
    ],
    [
      'a channel without a name',
      () => createGrpcChannel(container, '', { address }),
      'TypeError',
      "createGrpcChannel: name must be a string that is not empty, not ''",
    ],
    [
      'a channel with an option of clients',
      () => createGrpcChannel(container, 'shared', { address, timeoutMs: 5 } as never),
      'TypeError',
      'gRPC channel \'shared\': unknown option "timeoutMs"; there are address, credentials, channelOptions, serviceConfig',
    ],
    [
      'a channel without an address',
      () => {
        createGrpcChannel(container, 'shared', {});
        useLeaf({ channel: 'shared' });
      },
      'Error',
      "gRPC channel 'shared': it has no address: write createGrpcChannel(container, 'shared', { address: " +
        "'https://users:50051' })",
    ],
    [
      'a channel that is not registered',
      () => {
        createGrpcChannel(container, 'shared', { address });
        useLeaf({ channel: 'shard' });
      },
      'Error',
      LEAF +
        "there is no channel 'shard', only 'shared': write createGrpcChannel(container, 'shard', { address: " +
        "'https://users:50051' })",
    ],
    [
      'a channel, where none is registered',
      () => useLeaf({ channel: 'shared' }),
      'Error',
      LEAF +
        "there is no channel 'shared': write createGrpcChannel(container, 'shared', { address: 'https://users:50051' })",
    ],
    [
      'a shared channel and an own address',
      () => useLeaf({ channel: 'shared', address }),
      'Error',
      `${LEAF}it has both channel and address: pass address to createGrpcChannel(container, 'shared', { ... })`,
    ],
    [
      'a service config in two places',
      () => useLeaf({ address, serviceConfig: {}, channelOptions: { 'grpc.service_config': '{}' } }),
      'Error',
      `${LEAF}serviceConfig and the channel option 'grpc.service_config' exclude each other: leave the latter out`,
    ],
    [
      'a misspelt service config',
      () => useLeaf({ address, serviceConfig: { methodConfigs: [] } }),
      'TypeError',
      `${LEAF}serviceConfig.methodConfigs is unknown; there are loadBalancingConfig, methodConfig, retryThrottling, healthCheckConfig`,
    ],
    [
      'no address',
      () => useLeaf({}),
      'Error',
      `${LEAF}it has no address: write createGrpcClient(container, LeafClient, { address: 'https://users:50051' })`,
    ],
    [
      'no address under a name',
      () => {
        createGrpcClient(container, LeafClient, { name: 'eu' });
        getGrpcClient(container, LeafClient, 'eu');
      },
      'Error',
      "gRPC client 'eu': it has no address: write createGrpcClient(container, LeafClient, { name: 'eu', address: " +
        "'https://users:50051' })",
    ],
    [
      'an address function that throws',
      () =>
        useLeaf({
          address: () => {
            throw new Error('there is no config');
          },
        }),
      'Error',
      `${LEAF}its address function threw: there is no config`,
    ],
    [
      'an address function that returns nothing',
      () => useLeaf({ address: () => undefined }),
      'TypeError',
      `${LEAF}its address function returned undefined instead of a gRPC target or a URL`,
    ],
    [
      'an async address function',
      () => useLeaf({ address: async () => address }),
      'TypeError',
      `${LEAF}its address function returned a promise instead of a gRPC target or a URL`,
    ],
    [
      'a target that says nothing of TLS',
      () => useLeaf({ address: 'dns:users:50051' }),
      'Error',
      LEAF +
        "address 'dns:users:50051' says nothing of TLS: write 'https://users:50051', or add credentials: " +
        'credentials.createSsl() or, for plain text, credentials.createInsecure()',
    ],
    [
      'a scheme without a resolver',
      () => useLeaf({ address: 'consul://users', credentials: insecure }),
      'Error',
      LEAF +
        "address 'consul://users' needs a resolver for 'consul', and grpc-js has none: call registerResolver('consul', ...) " +
        "of @grpc/grpc-js's experimental before the client's first use",
    ],
    [
      'xds without its package',
      () => useLeaf({ address: 'xds:///users', credentials: insecure }),
      'Error',
      LEAF +
        "address 'xds:///users' needs a resolver for 'xds', and grpc-js has none: install @grpc/grpc-js-xds, and call its " +
        "register() before the client's first use",
    ],
    [
      'call credentials on an insecure channel',
      () => useLeaf({ address, callCredentials: [async () => ({})] }),
      'Error',
      LEAF +
        'it has call credentials, and its channel to dns:127.0.0.1:1 is insecure: they would be sent in clear text. Use an ' +
        'https address or secure channel credentials, or, where nobody can listen, set ' +
        'unsafeUseInsecureChannelCallCredentials: true',
    ],
    [
      'call credentials that cannot be asked',
      () => {
        container.bind('tokens').toConstantValue({});
        useLeaf({ address, callCredentials: ['tokens'], unsafeUseInsecureChannelCallCredentials: true });
      },
      'TypeError',
      LEAF +
        "the container has {} as call credentials 'tokens': it needs a method getMetadata({ serviceUrl, method, signal, " +
        'deadline })',
    ],
    [
      'a class that is not registered',
      () => getGrpcClient(container, LeafClient),
      'Error',
      "gRPC client LeafClient is not registered: write createGrpcClient(container, LeafClient, { address: 'https://...' })",
    ],
    [
      'a name that is not registered',
      () => {
        createGrpcClient(container, LeafClient, { address });
        createGrpcClient(container, LeafClient, { name: 'eu', address });
        getGrpcClient(container, LeafClient, 'us');
      },
      'Error',
      "gRPC client LeafClient is not registered as 'us', only as 'grpc_di.test.v1.Leaf', 'eu'.",
    ],
    [
      'the default name, where it is not registered',
      () => {
        createGrpcClient(container, LeafClient, { name: 'eu', address });
        container.get(LeafClient);
      },
      'Error',
      "gRPC client LeafClient is not registered under its default name 'grpc_di.test.v1.Leaf', only as 'eu': inject one of " +
        "those with @inject(LeafClient) @named('eu'), or register it without a name.",
    ],
    [
      'a name that is injected and not registered',
      () => {
        createGrpcClient(container, LeafClient, { address });
        container.get(LeafClient, { name: 'us' });
      },
      'Error',
      'gRPC client LeafClient is not registered under the name or tag that was asked for, only as ' +
        "'grpc_di.test.v1.Leaf'.",
    ],
    [
      'overrides that cannot be',
      () => {
        createGrpcClient(container, LeafClient, { address });
        factory().createClient(LeafClient, undefined, { timeoutMs: 5 } as never);
      },
      'TypeError',
      `${LEAF}one created client can have an address and credentials of its own, and no timeoutMs`,
    ],
    [
      'an override by a function',
      () => {
        createGrpcClient(container, LeafClient, { address });
        factory().createClient(LeafClient, undefined, { address: (() => address) as never });
      },
      'TypeError',
      `${LEAF}one created client can have an address and credentials of its own, and no function as its address`,
    ],
    [
      'an override of a shared channel',
      () => {
        createGrpcChannel(container, 'shared', { address });
        createGrpcClient(container, LeafClient, { channel: 'shared' });
        factory().createClient(LeafClient, undefined, { address });
      },
      'Error',
      LEAF +
        "it shares the channel 'shared', and cannot be created with an address or credentials of its own: register it " +
        'without channel',
    ],
    [
      'a name that neither client nor channel has',
      () => {
        createGrpcClient(container, LeafClient, { address });
        createGrpcChannel(container, 'shared', { address });
        factory().getChannel('users');
      },
      'Error',
      "gRPC client or channel 'users' is not registered; there are 'grpc_di.test.v1.Leaf', 'shared'",
    ],
    [
      'all faults at bootstrap',
      () => {
        createGrpcClient(container, LeafClient, { channel: 'shared' });
        createGrpcClient(container, LeafClient, { name: 'eu' });
        createGrpcClient(container, RelayClient, { address, interceptors: [{ interceptor: 'auth' }] });
        factory().validate();
      },
      'AggregateError',
      '3 gRPC client(s) cannot be used:\n' +
        "- gRPC client 'grpc_di.test.v1.Leaf': there is no channel 'shared': write createGrpcChannel(container, 'shared', " +
        "{ address: 'https://users:50051' })\n" +
        "- gRPC client 'eu': it has no address: write createGrpcClient(container, LeafClient, { name: 'eu', address: " +
        "'https://users:50051' })\n" +
        "- gRPC client 'grpc_di.test.v1.Relay': its options name 'auth', which is not bound: write " +
        "container.bind('auth').to(...)",
    ],
    [
      'waiting for what does not connect',
      () => {
        createGrpcClient(container, LeafClient, { address });
        return factory().waitForReady({ timeoutMs: 0 });
      },
      'AggregateError',
      "1 gRPC client(s) are not ready:\n- gRPC client 'grpc_di.test.v1.Leaf' could not connect to dns:127.0.0.1:1 in time: " +
        'it is IDLE',
    ],
    [
      'a module without a function',
      () => grpcClientModule({} as never),
      'TypeError',
      'grpcClientModule: configure must be a function such as (add) => add(UsersClient, { ... }), not {}',
    ],
    [
      'a module with a class that the container has',
      () => {
        createGrpcClient(container, LeafClient, { address });
        container.load(grpcClientModule((add) => add(LeafClient, { address })));
      },
      'Error',
      'grpcClientModule: gRPC client LeafClient is already registered in the container, by createGrpcClient or another ' +
        'module',
    ],
    [
      "a module's container that is kept",
      () => {
        const kept: Container[] = [];
        container.load(
          grpcClientModule((add) => {
            add(LeafClient, {
              address: (given) => {
                kept.push(given);
                return address;
              },
            });
          }),
        );
        getGrpcClient(container, LeafClient);
        kept[0]!.get('users');
      },
      'Error',
      'the container of a grpcClientModule resolves only while one of its clients is being created',
    ],
    [
      'propagation for a client of the factory',
      () => {
        createGrpcClient(container, LeafClient, { address });
        withCallContextPropagation(getGrpcClient(container, LeafClient) as LeafClient);
      },
      'TypeError',
      "withCallContextPropagation: gRPC client 'grpc_di.test.v1.Leaf' is registered in a container: register it with " +
        'enableCallContextPropagation: true instead',
    ],
    [
      'propagation for something else',
      () => withCallContextPropagation({ name: 'users' } as never),
      'TypeError',
      "withCallContextPropagation: { name: 'users' } is neither a client nor a channel of this very @grpc/grpc-js",
    ],
  ])('%s', async (_what, act, errorClass, text) => {
    const thrown = await Promise.resolve()
      .then(act)
      .then(
        () => undefined,
        (error: Error) => error,
      );
    expect([thrown?.constructor.name, thrown?.message]).toEqual([errorClass, text]);
  });
});

/** The class's name and the text of what is thrown. */
function thrownBy(act: () => unknown): [name: string, message: string] {
  try {
    act();
  } catch (error) {
    return [(error as Error).constructor.name, (error as Error).message];
  }
  return ['nothing', ''];
}
