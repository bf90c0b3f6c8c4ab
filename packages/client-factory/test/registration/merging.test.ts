import 'reflect-metadata';
import { credentials, Metadata } from '@grpc/grpc-js';
import {
  createGrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { type Arrival, CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from './named-server.js';

let leafServer: RunningLeaf;
beforeAll(async () => {
  leafServer = await startLeaf();
});
afterAll(async () => {
  await leafServer[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
});
afterEach(() => container.get(GrpcClientFactory).close());

let calls = 0;
/** What reaches the server of a call without options of its own. */
async function arrivalOfCall(name?: string): Promise<Arrival> {
  const caseId = `merging ${calls++}`;
  const call = getGrpcClient(container, LeafClient, name).unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
  const arrival = await leafServer.arrived(caseId);
  arrival.answer();
  await call;
  return arrival;
}

/** Registers the client once for each of the options, as several modules of an application may. */
function register(...several: GrpcClientOptions[]): void {
  createGrpcClient(container, LeafClient, { address: leafServer.address });
  for (const options of several) {
    createGrpcClient(container, LeafClient, options);
  }
}

describe('a repeated registration', () => {
  test('keeps the options that it does not name', async () => {
    register(
      { timeoutMs: 60_000 },
      {},
      { metadata: { 'x-tenant': 'a' } },
      { timeoutMs: undefined, address: undefined },
    );

    const { deadline, metadata } = await arrivalOfCall();

    expect(deadline).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(metadata.get('x-tenant')).toEqual(['a']);
  });

  test('replaces single values', async () => {
    register({ address: 'localhost:1', timeoutMs: 1 }, { address: leafServer.address, timeoutMs: 60_000 });

    expect((await arrivalOfCall()).deadline).toBeGreaterThan(Date.now() + 30_000);
  });

  test('takes the default deadline away with Infinity', async () => {
    register({ timeoutMs: 60_000 }, { timeoutMs: Infinity });

    expect((await arrivalOfCall()).deadline).toBe(Infinity);
  });

  test('may bring the credentials, or the address, that the other lacks', async () => {
    createGrpcClient(container, LeafClient, { credentials: credentials.createInsecure() });
    createGrpcClient(container, LeafClient, { address: 'users.example:50051' });

    container.get(GrpcClientFactory).validate();
  });

  test('merges channel options key by key', async () => {
    register(
      { channelOptions: { 'grpc.primary_user_agent': 'first/1', 'grpc.secondary_user_agent': 'first/2' } },
      { channelOptions: { 'grpc.secondary_user_agent': 'second/2' } },
    );

    const [agent] = (await arrivalOfCall()).metadata.get('user-agent');

    expect(agent).toMatch(/^first\/1 .* second\/2$/);
  });

  test('merges metadata key by key: a key that comes again has no other than its last values', async () => {
    const several = new Metadata();
    several.add('x-b', 'second');
    several.add('x-b', 'third');
    register(
      { metadata: { 'x-a': 'first', 'X-B': 'first' } },
      { metadata: several },
      { metadata: { 'x-c': 'fourth' } },
    );

    const { metadata } = await arrivalOfCall();

    expect(metadata.get('x-a')).toEqual(['first']);
    expect(metadata.get('x-b')).toEqual(['second, third']);
    expect(metadata.get('x-c')).toEqual(['fourth']);
  });

  test('merges binary metadata', async () => {
    const binary = new Metadata();
    binary.add('x-trace-bin', Buffer.from([1, 2]));
    register({ metadata: binary }, { metadata: { 'x-a': 'a' } });

    expect((await arrivalOfCall()).metadata.get('x-trace-bin')).toEqual([Buffer.from([1, 2])]);
  });

  test('merges propagation options key by key', async () => {
    register(
      { enableCallContextPropagation: { onContextNotFound: 'ignore', deadline: false } },
      { enableCallContextPropagation: { deadline: true } },
    );

    const outside = await arrivalOfCall();
    const inside = await runInCallContext({ timeoutMs: 60_000 }, () => arrivalOfCall());

    expect(outside.deadline).toBe(Infinity);
    expect(inside.deadline).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  test('keeps what stands within an option where the other has it undefined', async () => {
    register(
      {
        methods: { unary: { timeoutMs: 30_000 } },
        channelOptions: { 'grpc.primary_user_agent': 'first/1' },
        enableCallContextPropagation: { onContextNotFound: 'ignore' },
      },
      {
        methods: { unary: { timeoutMs: undefined, waitForReady: true } },
        channelOptions: { 'grpc.primary_user_agent': undefined },
        enableCallContextPropagation: { onContextNotFound: undefined },
      },
    );

    const { deadline, metadata } = await arrivalOfCall();

    expect(deadline).toBeLessThanOrEqual(Date.now() + 30_000);
    expect(metadata.get('user-agent')[0]).toMatch(/^first\/1 /);
  });

  test.each<[string, GrpcClientOptions['enableCallContextPropagation'], boolean]>([
    ['switches propagation off', false, false],
    ['leaves propagation on', true, true],
    ['leaves propagation on, with options', { deadlineMarginMs: 1_000 }, true],
  ])('%s', async (_what, last, isOn) => {
    register({ enableCallContextPropagation: true }, { enableCallContextPropagation: last });

    const { deadline } = await runInCallContext({ timeoutMs: 60_000 }, () => arrivalOfCall());

    expect(deadline < Infinity).toBe(isOn);
  });

  test('under the default name is one of the bare class', async () => {
    register({ name: 'grpc_di.test.v1.Leaf', timeoutMs: 60_000 });

    expect((await arrivalOfCall()).deadline).toBeLessThan(Infinity);
  });

  test('under another name is another client, that shares nothing', async () => {
    register({ timeoutMs: 60_000, metadata: { 'x-tenant': 'a' } });
    createGrpcClient(container, LeafClient, { name: 'other', address: leafServer.address });

    const { deadline, metadata } = await arrivalOfCall('other');

    expect(deadline).toBe(Infinity);
    expect(metadata.get('x-tenant')).toEqual([]);
  });
});

describe('defaults: a client that is registered with an address and nothing else', () => {
  beforeEach(() => register());

  test('sends no deadline and no metadata of its own', async () => {
    const { deadline, metadata } = await arrivalOfCall();

    expect(deadline).toBe(Infinity);
    expect(Object.keys(metadata.getMap()).sort()).toEqual(['user-agent', CASE_KEY]);
  });

  test('does not propagate, and needs no context', async () => {
    const { deadline } = await runInCallContext({ timeoutMs: 60_000 }, () => arrivalOfCall());

    expect(deadline).toBe(Infinity);
  });
});

describe("the user's options", () => {
  test('are not changed, and may be frozen', async () => {
    const metadata = new Metadata();
    metadata.set('x-tenant', 'a');
    const first = deepFreeze<GrpcClientOptions>({
      address: leafServer.address,
      channelOptions: { 'grpc.primary_user_agent': 'first/1' },
      metadata: { 'x-a': 'a' },
      timeoutMs: 60_000,
      enableCallContextPropagation: { metadata: ['X-Request-Id'], onContextNotFound: 'ignore' },
    });
    const second = deepFreeze<GrpcClientOptions>({
      channelOptions: { 'grpc.secondary_user_agent': 'second/2' },
      metadata,
      enableCallContextPropagation: { deadlineMarginMs: 5 },
    });

    createGrpcClient(container, LeafClient, first);
    createGrpcClient(container, LeafClient, second);
    const requestMetadata = new Metadata();
    requestMetadata.set('x-request-id', '7');
    const arrival = await runInCallContext({ requestMetadata }, () => arrivalOfCall());

    expect(arrival.metadata.get('x-tenant')).toEqual(['a']);
    expect(arrival.metadata.get('x-request-id')).toEqual(['7']);
    expect(metadata.toJSON()).toEqual({ 'x-tenant': ['a'] });
  });

  test('are read at registration: what becomes of them later has no effect', async () => {
    const metadata = new Metadata();
    metadata.set('x-tenant', 'a');
    const options = {
      address: leafServer.address,
      channelOptions: { 'grpc.primary_user_agent': 'first/1' },
      metadata,
      enableCallContextPropagation: { deadline: true },
    };
    createGrpcClient(container, LeafClient, options);
    options.address = 'localhost:1';
    options.channelOptions['grpc.primary_user_agent'] = 'second/2';
    metadata.set('x-tenant', 'b');
    options.enableCallContextPropagation.deadline = false;

    const arrival = await runInCallContext({ timeoutMs: 60_000 }, () => arrivalOfCall());

    expect(arrival.metadata.get('user-agent')[0]).toMatch(/^first\/1 /);
    expect(arrival.metadata.get('x-tenant')).toEqual(['a']);
    expect(arrival.deadline).toBeLessThan(Infinity);
  });
});

describe('once a client was used, registering it again is an error', () => {
  const error =
    "gRPC client 'grpc_di.test.v1.Leaf' was already used, and cannot be registered again: register all clients before the first is resolved";

  test.each<[string, () => unknown]>([
    ['by injection', () => container.get(LeafClient)],
    ['by getGrpcClient', () => getGrpcClient(container, LeafClient)],
    ['by a child container', () => new Container({ parent: container }).get(LeafClient)],
    ['by getChannel', () => container.get(GrpcClientFactory).getChannel('grpc_di.test.v1.Leaf')],
    ['by waitForReady', () => container.get(GrpcClientFactory).waitForReady()],
    ['by close', () => container.get(GrpcClientFactory).close()],
  ])('%s', async (_how, use) => {
    register();
    await use();

    expect(() => createGrpcClient(container, LeafClient, { timeoutMs: 1 })).toThrow(error);
  });

  test('and changes nothing', async () => {
    register({ timeoutMs: 60_000 });
    const leaf = getGrpcClient(container, LeafClient);

    expect(() => createGrpcClient(container, LeafClient, { timeoutMs: 1, address: 'localhost:1' })).toThrow(error);

    expect((await arrivalOfCall()).deadline).toBeGreaterThan(Date.now() + 30_000);
    expect(getGrpcClient(container, LeafClient)).not.toBe(leaf);
  });

  test('but not a first registration under another name', async () => {
    register();
    getGrpcClient(container, LeafClient);

    createGrpcClient(container, LeafClient, { name: 'other', address: leafServer.address });

    await arrivalOfCall('other');
    await arrivalOfCall();
  });

  test('but not when it was validated, or its use failed', async () => {
    createGrpcClient(container, LeafClient, { timeoutMs: 1 });
    expect(() => getGrpcClient(container, LeafClient)).toThrow('has no address');
    expect(() => container.get(GrpcClientFactory).validate()).toThrow('has no address');
    createGrpcClient(container, LeafClient, { address: 'localhost:1' });
    container.get(GrpcClientFactory).validate();

    createGrpcClient(container, LeafClient, { address: leafServer.address, timeoutMs: 60_000 });

    await arrivalOfCall();
  });
});

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) {
      deepFreeze(part as object);
    }
  }
  return Object.freeze(value);
}
