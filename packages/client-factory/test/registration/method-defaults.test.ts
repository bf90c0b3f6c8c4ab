import 'reflect-metadata';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcClient,
  type GrpcCallOptions,
  type GrpcClient,
  type GrpcClientConstructor,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
  type MethodDefaults,
} from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { caseName } from '../call/served-calls.js';
import { LeafClient as ProtobufTsLeafClient } from '../generators/generated/protobuf-ts/grpc_di/test/v1/leaf.grpc-client.js';
import {
  LeafClient as GrpcToolsLeafClient,
  RelayRequest as GrpcToolsRequest,
} from '../generators/grpc-tools-client.js';
import { Leaf as ProtoLoaderLeaf } from '../generators/proto-loader-client.js';
import { FORMS, startChild } from '../propagation/child-call.js';
import { REQUEST } from './named-server.js';

// timeoutMs, waitForReady and metadata: of the defaults, of the client, of its methods, and of the call.

let leaf: RunningLeaf;
/** Where nobody listens. */
let nowhere: string;
beforeAll(async () => {
  leaf = await startLeaf();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  nowhere = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
  await once(server, 'close');
});
afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
});
afterEach(() => container.get(GrpcClientFactory).close({ cancelCalls: true }));

function client(options: GrpcClientOptions): GrpcClient<LeafClient> {
  createGrpcClient(container, LeafClient, { address: leaf.address, ...options });
  return getGrpcClient(container, LeafClient);
}

/** The milliseconds from now to the deadline that reaches the server, to the next ten seconds; `Infinity` for none. */
async function timeoutOf(
  from: GrpcClient<LeafClient>,
  options: GrpcCallOptions = {},
  kind: (typeof CALL_KINDS)[number] = 'unary',
  form: (typeof FORMS)[number] = 'promise',
): Promise<number> {
  const caseId = caseName();
  const outcome = startChild(from, kind, form, caseId, options);
  const arrival = await leaf.arrived(caseId);
  const timeout = Math.round((arrival.deadline - Date.now()) / 10_000) * 10_000;
  arrival.answer();
  expect(await outcome).toBeUndefined();
  return timeout;
}

describe.each(CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const)))('%s, %s form', (kind, form) => {
  test.each<
    [
      who: string,
      defaults: number | undefined,
      own: number | undefined,
      method: MethodDefaults,
      call: GrpcCallOptions,
      expected: number,
    ]
  >([
    ['of the defaults', 100_000, undefined, {}, {}, 100_000],
    ['of the client', 100_000, 200_000, {}, {}, 200_000],
    ['of the method', 100_000, 200_000, { timeoutMs: 300_000 }, {}, 300_000],
    ['of a shorter method', 100_000, 200_000, { timeoutMs: 50_000 }, {}, 50_000],
    ['of the client where the method says other things', 100_000, 200_000, { waitForReady: true }, {}, 200_000],
    ['of the call', 100_000, 200_000, { timeoutMs: 300_000 }, { timeoutMs: 400_000 }, 400_000],
    ['none by the client', 100_000, Infinity, {}, {}, Infinity],
    ['none by the method', 100_000, 200_000, { timeoutMs: Infinity }, {}, Infinity],
    ['none by the call', 100_000, 200_000, { timeoutMs: 300_000 }, { timeoutMs: Infinity }, Infinity],
    ["none by the call's deadline", 100_000, 200_000, { timeoutMs: 300_000 }, { deadline: Infinity }, Infinity],
    ['none', undefined, undefined, {}, {}, Infinity],
  ])('has the timeout %s', async (_who, defaults, own, method, call, expected) => {
    configureGrpcClientDefaults(container, { timeoutMs: defaults });

    const timeout = await timeoutOf(client({ timeoutMs: own, methods: { [kind]: method } }), call, kind, form);

    expect(timeout).toBe(expected);
  });

  test('a timeout of 0, or less, is over at once', async () => {
    const caseId = caseName();
    const from = client({ methods: { [kind]: { timeoutMs: 0 } } });

    const error = await startChild(from, kind, form, caseId);

    expect(error).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringContaining("the default timeoutMs of gRPC client 'grpc_di.test.v1.Leaf'"),
    });
    expect(leaf.arrivals(caseId)).toBe(0);
  });

  test.each<
    [
      who: string,
      defaults: boolean | undefined,
      own: boolean | undefined,
      method: MethodDefaults,
      call: GrpcCallOptions,
      waits: boolean,
    ]
  >([
    ['does not', undefined, undefined, {}, {}, false],
    ['does by the defaults', true, undefined, {}, {}, true],
    ['does not by the client', true, false, {}, {}, false],
    ['does by the client', false, true, {}, {}, true],
    ['does by the method', false, false, { waitForReady: true }, {}, true],
    ['does not by the method', true, true, { waitForReady: false }, {}, false],
    ['does by the client where the method says other things', false, true, { timeoutMs: 300_000 }, {}, true],
    ['does by the call', false, false, { waitForReady: false }, { waitForReady: true }, true],
    ['does not by the call', true, true, { waitForReady: true }, { waitForReady: false }, false],
  ])('waits for a connection: %s', async (_who, defaults, own, method, call, waits) => {
    configureGrpcClientDefaults(container, { waitForReady: defaults });
    const from = client({ address: nowhere, waitForReady: own, methods: { [kind]: method } });

    await expectWaiting(waits, (signal) => startChild(from, kind, form, caseName(), { ...call, signal }), from);
  });
});

/** Whether a call waits: one that does not has failed when another has, that does not. */
async function expectWaiting(
  waits: boolean,
  startCall: (signal: AbortSignal) => Promise<ServiceError | undefined>,
  from: GrpcClient<LeafClient>,
): Promise<void> {
  const controller = new AbortController();
  const outcome = startCall(controller.signal);
  if (waits) {
    expect((await startChild(from, 'unary', 'promise', caseName(), { waitForReady: false }))?.code).toBe(
      status.UNAVAILABLE,
    );
    // It would have come by now, too: both learnt from the same connection.
    await new Promise(setImmediate);
    controller.abort();
  }

  expect((await outcome)?.code).toBe(waits ? status.CANCELLED : status.UNAVAILABLE);
}

describe("waitForReady of a call's own Metadata", () => {
  function unary(from: GrpcClient<LeafClient>, metadata: Metadata, options: GrpcCallOptions = {}) {
    return (signal: AbortSignal): Promise<ServiceError | undefined> =>
      from.unary(REQUEST, metadata, { ...options, signal }).then(
        () => undefined,
        (error: ServiceError) => error,
      );
  }

  test.each([
    ['wins over all defaults: true', false, {}, true, true],
    ['wins over all defaults: false', true, {}, false, false],
    ["gives way to the call's option: true", false, { waitForReady: true }, false, true],
    ["gives way to the call's option: false", true, { waitForReady: false }, true, false],
  ])('%s', async (_what, registered, options, own, waits) => {
    configureGrpcClientDefaults(container, { waitForReady: registered });
    const from = client({
      address: nowhere,
      waitForReady: registered,
      methods: { unary: { waitForReady: registered } },
    });
    const metadata = new Metadata({ waitForReady: own });

    await expectWaiting(waits, unary(from, metadata, options), from);
    expect(metadata.getOptions()).toEqual({ waitForReady: own });
  });
});

describe('methods', () => {
  test('count for the calls of their rpc alone', async () => {
    const from = client({
      timeoutMs: 100_000,
      methods: { unary: { timeoutMs: 200_000 }, bidi: { timeoutMs: 300_000 } },
    });

    expect(await timeoutOf(from, {}, 'unary')).toBe(200_000);
    expect(await timeoutOf(from, {}, 'bidi')).toBe(300_000);
    expect(await timeoutOf(from, {}, 'serverStream')).toBe(100_000);
    expect(await timeoutOf(from, {}, 'clientStream')).toBe(100_000);
  });

  test('merge key by key, also in two spellings', async () => {
    createGrpcClient(container, LeafClient, {
      methods: { unary: { timeoutMs: 100_000 }, ServerStream: { timeoutMs: 100_000 }, bidi: { timeoutMs: 100_000 } },
    });
    const methods = { unary: { waitForReady: true }, serverStream: { timeoutMs: 200_000 } };
    const from = client({ methods });

    expect(await timeoutOf(from, {}, 'unary')).toBe(100_000);
    expect(await timeoutOf(from, {}, 'serverStream')).toBe(200_000);
    expect(await timeoutOf(from, {}, 'bidi')).toBe(100_000);
    expect(methods).toEqual({ unary: { waitForReady: true }, serverStream: { timeoutMs: 200_000 } });
  });

  test('are read at registration', async () => {
    const methods = { unary: { timeoutMs: 100_000 } };
    createGrpcClient(container, LeafClient, { address: leaf.address, methods });
    methods.unary.timeoutMs = 1;

    expect(await timeoutOf(getGrpcClient(container, LeafClient))).toBe(100_000);
  });

  const generated: Array<[string, GrpcClientConstructor<never>, unknown]> = [
    ['ts-proto', LeafClient as never, REQUEST],
    ['proto-loader', ProtoLoaderLeaf as never, REQUEST],
    ['protobuf-ts', ProtobufTsLeafClient as never, REQUEST],
    ['grpc-tools', GrpcToolsLeafClient as never, new GrpcToolsRequest().setId('1')],
  ];

  describe.each(generated)('of a class by %s', (_generator, Client, request) => {
    const Class = Client as unknown as GrpcClientConstructor<LeafClient>;

    test.each(['unary', 'Unary'])('are named as %s', async (name) => {
      createGrpcClient(container, Class, { address: leaf.address, methods: { [name]: { timeoutMs: 100_000 } } });
      const from = getGrpcClient(container, Class) as GrpcClient<LeafClient> & Record<'Unary', LeafClient['unary']>;
      const spellings = ['unary', 'Unary'] as const;

      for (const spelling of spellings.filter((name) => name in from)) {
        const caseId = caseName();
        const metadata = new Metadata();
        metadata.set(CASE_KEY, caseId);
        const done = new Promise((resolve) => from[spelling](request as typeof REQUEST, metadata, resolve));
        const arrival = await leaf.arrived(caseId);
        arrival.answer();
        expect(await done).toBeNull();
        expect(Math.abs(arrival.deadline - Date.now() - 100_000)).toBeLessThan(10_000);
      }
    });

    test('list the names there are, where there is none such', () => {
      createGrpcClient(container, Class, { address: leaf.address });

      expect(() => createGrpcClient(container, Class, { methods: { unari: {} } })).toThrow(
        /^gRPC client 'grpc_di\.test\.v1\.Leaf': methods\.unari: the client has no such rpc; there are (Unary, )?unary, .*bidi$/i,
      );
    });
  });
});

describe('metadata', () => {
  async function arrivedMetadata(from: GrpcClient<LeafClient>, own: Metadata): Promise<Metadata> {
    const caseId = caseName();
    own.set(CASE_KEY, caseId);
    const call = from.unary(REQUEST, own);
    const arrival = await leaf.arrived(caseId);
    arrival.answer();
    await call;
    return arrival.metadata;
  }

  test('of the call, then the client, then the defaults: a key comes from one of them alone', async () => {
    const several = new Metadata();
    several.add('x-call', 'call 1');
    several.add('x-call', 'call 2');
    configureGrpcClientDefaults(container, {
      metadata: { 'x-call': 'default', 'x-client': 'default', 'X-Default': 'default' },
    });
    const from = client({ metadata: { 'X-Call': 'client', 'x-client': 'client' } });

    const metadata = await arrivedMetadata(from, several);

    expect(metadata.get('x-call')).toEqual(['call 1, call 2']);
    expect(metadata.get('x-client')).toEqual(['client']);
    expect(metadata.get('x-default')).toEqual(['default']);
    expect(several.get('x-client')).toEqual([]);
  });

  test('an empty value of the call is one', async () => {
    const own = new Metadata();
    own.set('x-client', '');

    const metadata = await arrivedMetadata(client({ metadata: { 'x-client': 'client' } }), own);

    expect(metadata.get('x-client')).toEqual(['']);
  });
});
