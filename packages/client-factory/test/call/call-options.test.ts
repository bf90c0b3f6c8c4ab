import 'reflect-metadata';
import { InterceptingCall, Metadata, status } from '@grpc/grpc-js';
import type { GrpcClient } from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type ConnectedClient,
  connect,
  errorOf,
  messagesOf,
  REQUEST,
  serveAll,
  start,
  thrownBy,
} from './served-calls.js';

// What JavaScript callers can get wrong, in whole texts: it throws at the call site, before anything was made.

type Untyped = Record<'unary' | 'serverStream' | 'clientStream' | 'bidi', (...args: unknown[]) => unknown>;

let leaf: RunningLeaf;
let connected: ConnectedClient;
let client: GrpcClient<LeafClient>;
let untyped: Untyped;

beforeAll(async () => {
  leaf = await startLeaf();
});

afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

beforeEach(() => {
  connected = connect(leaf.address);
  client = connected.client;
  untyped = client as unknown as Untyped;
});

afterEach(async () => {
  // Resolves only where no call was left behind as a running one.
  await connected.factory.close();
});

function unaryError(options: unknown): Error {
  return thrownBy(() => ignoring(untyped.unary(REQUEST, options)));
}

class Custom {
  timeoutMs = 100;
}

describe('an option', () => {
  test.each([
    ['unknown', { retries: 3 }, '/grpc_di.test.v1.Leaf/Unary: unknown call option "retries"'],
    [
      'misspelt',
      { timeout: 500 },
      '/grpc_di.test.v1.Leaf/Unary: unknown call option "timeout"; did you mean timeoutMs?',
    ],
    ['of another spelling', { timeoutMS: 500 }, '/grpc_di.test.v1.Leaf/Unary: unknown call option "timeoutMS"'],
    [
      'unknown, beside a known one',
      { timeoutMs: 500, wait: true },
      '/grpc_di.test.v1.Leaf/Unary: unknown call option "wait"',
    ],
    [
      'signal that is a controller',
      { signal: new AbortController() },
      '/grpc_di.test.v1.Leaf/Unary: signal must be an AbortSignal, not AbortController [Object]',
    ],
    ['signal that is null', { signal: null }, '/grpc_di.test.v1.Leaf/Unary: signal must be an AbortSignal, not null'],
    [
      'waitForReady that is no boolean',
      { waitForReady: 'yes' },
      "/grpc_di.test.v1.Leaf/Unary: waitForReady must be a boolean, not 'yes'",
    ],
    [
      'enableCallContextPropagation that is not false',
      { enableCallContextPropagation: true },
      '/grpc_di.test.v1.Leaf/Unary: enableCallContextPropagation can be no more than switched off for one call: register the client with it',
    ],
    [
      'interceptors that is no array',
      { interceptors: () => {} },
      '/grpc_di.test.v1.Leaf/Unary: interceptors must be an array',
    ],
    [
      'interceptor_providers that is no array',
      { interceptor_providers: {} },
      '/grpc_di.test.v1.Leaf/Unary: interceptor_providers must be an array',
    ],
    [
      'metadata that is a string',
      { metadata: 'x-key: value' },
      "/grpc_di.test.v1.Leaf/Unary: metadata must be a Metadata of @grpc/grpc-js or an object of strings, not 'x-key: value'",
    ],
    [
      'metadata that is an array',
      { metadata: [['x-key', 'value']] },
      '/grpc_di.test.v1.Leaf/Unary: metadata must be a Metadata of @grpc/grpc-js or an object of strings, not [ [Array] ]',
    ],
    [
      'metadata that is null',
      { metadata: null },
      '/grpc_di.test.v1.Leaf/Unary: metadata must be a Metadata of @grpc/grpc-js or an object of strings, not null',
    ],
  ])('%s', (_name, options, text) => {
    const error = unaryError(options);

    expect(error.message).toBe(text);
    expect(error).toBeInstanceOf(TypeError);
  });

  test.each([
    ['a name with a space', { 'x key': 'value' }],
    ['null', { authorization: null }],
    ['an object', { 'x-user': { id: 1 } }],
    ['a line break', { 'x-key': 'a\nb' }],
    ['text under a binary name', { 'x-bin': 'text' }],
  ])('metadata with %s: the text names method and option', (_name, metadata) => {
    const error = unaryError({ metadata, timeoutMs: 0 });

    expect(error.message).toMatch(/^\/grpc_di\.test\.v1\.Leaf\/Unary: metadata\b/);
  });

  test('that is undefined is none', async () => {
    const call = client.unary(REQUEST, {
      deadline: undefined,
      timeoutMs: undefined,
      signal: undefined,
      waitForReady: undefined,
      enableCallContextPropagation: undefined,
      interceptors: undefined,
      metadata: { [CASE_KEY]: 'undefined options' },
    });
    (await leaf.arrived('undefined options')).answer();

    expect(await call).toMatchObject({ id: 'leaf' });
  });

  test('is found in an object of a class and in a prototype, too', () => {
    expect(unaryError(Object.create({ timeout: 5 })).message).toContain('unknown call option "timeout"');
    expect(unaryError(Object.assign(new Custom(), { wait: 1 })).message).toContain('unknown call option "wait"');
  });

  test('that is wrong throws the same for every kind and form', () => {
    const options = { timeout: 5 };
    const metadata = new Metadata();
    const callback = (): void => {};
    const starts: Record<string, () => unknown> = {
      'Unary promise': () => untyped.unary(REQUEST, options),
      'Unary callback': () => untyped.unary(REQUEST, metadata, options, callback),
      'ServerStream options': () => untyped.serverStream(REQUEST, options),
      'ServerStream metadata and options': () => untyped.serverStream(REQUEST, metadata, options),
      'ClientStream promise': () => untyped.clientStream([REQUEST], options),
      'ClientStream undefined requests': () => untyped.clientStream(undefined, options),
      'ClientStream callback': () => untyped.clientStream(metadata, options, callback),
      'Bidi requests': () => untyped.bidi([REQUEST], options),
      'Bidi metadata and options': () => untyped.bidi(metadata, options),
    };
    for (const [name, startCall] of Object.entries(starts)) {
      const error = thrownBy(startCall);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toBe(
        `/grpc_di.test.v1.Leaf/${name.split(' ')[0]}: unknown call option "timeout"; did you mean timeoutMs?`,
      );
    }
  });
});

describe('arguments that make no sense', () => {
  const EXPECTED = 'expected a Metadata of @grpc/grpc-js, call options or a callback';

  test.each<[string, keyof Untyped, unknown[], string]>([
    ['a number', 'unary', [REQUEST, 500], `/grpc_di.test.v1.Leaf/Unary was called with 500: ${EXPECTED}`],
    ['a string', 'unary', [REQUEST, 'x'], `/grpc_di.test.v1.Leaf/Unary was called with 'x': ${EXPECTED}`],
    ['null', 'unary', [REQUEST, null], `/grpc_di.test.v1.Leaf/Unary was called with null: ${EXPECTED}`],
    ['an array', 'serverStream', [REQUEST, []], `/grpc_di.test.v1.Leaf/ServerStream was called with []: ${EXPECTED}`],
    ['a string of requests', 'bidi', ['abc'], `/grpc_di.test.v1.Leaf/Bidi was called with 'abc': ${EXPECTED}`],
    [
      'requests that are null',
      'clientStream',
      [null],
      `/grpc_di.test.v1.Leaf/ClientStream was called with null: ${EXPECTED}`,
    ],
    [
      'requests behind options',
      'clientStream',
      [{ timeoutMs: 5 }, [REQUEST]],
      `/grpc_di.test.v1.Leaf/ClientStream was called with [ [Object] ]: ${EXPECTED}`,
    ],
    [
      'a message where requests belong',
      'clientStream',
      [REQUEST],
      '/grpc_di.test.v1.Leaf/ClientStream: unknown call option "id"',
    ],
    [
      'a callback for streamed responses',
      'serverStream',
      [REQUEST, () => {}],
      '/grpc_di.test.v1.Leaf/ServerStream streams its responses and takes no callback: write for await (const message of call)',
    ],
    [
      'a callback for a bidi call',
      'bidi',
      [() => {}],
      '/grpc_di.test.v1.Leaf/Bidi streams its responses and takes no callback: write for await (const message of call)',
    ],
    [
      'requests and a callback',
      'clientStream',
      [[REQUEST], () => {}],
      '/grpc_di.test.v1.Leaf/ClientStream takes either an iterable of requests or a callback, not both',
    ],
  ])('%s (%s)', (_name, method, args, text) => {
    const error = thrownBy(() => untyped[method](...args));

    expect(error.message).toBe(text);
    expect(error).toBeInstanceOf(TypeError);
  });

  test.each<[string, keyof Untyped, unknown[]]>([
    ['a callback twice', 'unary', [REQUEST, () => {}, () => {}]],
    ['options twice', 'unary', [REQUEST, { timeoutMs: 5 }, { timeoutMs: 6 }]],
    ['Metadata twice', 'unary', [REQUEST, new Metadata(), new Metadata()]],
    ['a generator function instead of a generator', 'clientStream', [async function* requests() {}]],
  ])('%s (%s) is no call', (_name, method, args) => {
    expect(() => {
      const call = untyped[method](...args) as { cancel(): void };
      call.cancel();
    }).toThrow(TypeError);
  });
});

describe('an option of grpc-js', () => {
  test.each([
    ['interceptors beside interceptor_providers', { interceptors: [pass], interceptor_providers: [() => pass] }],
    ['an interceptor that is none', { interceptors: ['auth'] }],
    ['an interceptor_provider that is none', { interceptor_providers: ['auth'] }],
    ['a parent that is no server call', { parent: {} }],
    // These grpc-js does not look at: a host takes the process down later, credentials when the channel is secure.
    ['a host that is none', { host: {} }],
    ['credentials that are none', { credentials: 'token' }],
  ])('that is wrong throws at the call site and leaves nothing running: %s', (_name, options) => {
    expect(thrownBy(() => ignoring(untyped.unary(REQUEST, { ...options, timeoutMs: 0 })))).toBeInstanceOf(Error);
  });
});

/** A call that should not have been made must not fail the test run as an unhandled rejection. */
function ignoring(call: unknown): void {
  void (call as { status: Promise<unknown> }).status;
}

test.each(CALL_KINDS)('host reaches the server as the authority (%s)', async (kind) => {
  await using served = await serveAll(({ call, fail }) => fail(status.ABORTED, call.getHost()));

  expect((await errorOf(start(served.client, kind, { host: 'virtual.example' }))).details).toBe('virtual.example');
});

test('a wrong call does no harm to the next one', async () => {
  expect(() => untyped.unary(REQUEST, { timeout: 5 })).toThrow(TypeError);
  const call = start(client, 'unary', { metadata: { [CASE_KEY]: 'next' } });
  (await leaf.arrived('next')).answer();

  expect(await messagesOf(call)).toHaveLength(1);
});

function pass(options: never, nextCall: (options: never) => InterceptingCall): InterceptingCall {
  return new InterceptingCall(nextCall(options));
}
