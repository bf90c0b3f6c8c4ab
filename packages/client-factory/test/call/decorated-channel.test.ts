import 'reflect-metadata';
import { type EventEmitter, getEventListeners, once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import {
  CallCredentials,
  type Channel,
  type ChannelInterface,
  type ClientOptions,
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import {
  CallContextNotFoundError,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  runInCallContext,
} from '@grpc-di/client-factory';
import {
  CALL_KINDS,
  CASE_KEY,
  type CallKind,
  LeafClient,
  RelayReply,
  type RunningLeaf,
  startLeaf,
} from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { startChild } from '../propagation/child-call.js';
import { caseName, deferred, first, REPLY, REQUEST, type ServedCall, serveAll, stoodStill } from './served-calls.js';

// Clients that a createClient hook makes: grpc-js's own, on the channel that the hook gets.

let leaf: RunningLeaf;
beforeAll(async () => {
  leaf = await startLeaf();
});
afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
});
afterEach(() => container.get(GrpcClientFactory).close({ cancelCalls: true }));

interface Plain {
  /** grpc-js's own client, in a costume that the tests' rig takes; without promises. */
  readonly client: GrpcClient<LeafClient>;
  readonly channel: Channel;
}

/** A registered object that is no client class, with a client of grpc-js in it. */
function plain(options: GrpcClientOptions = {}, ofClient: ClientOptions = {}): Plain {
  const identifier = Symbol('plain');
  createGrpcClient<Plain>(container, identifier, {
    name: `plain ${caseName()}`,
    address: leaf.address,
    ...options,
    createClient: (channel) => ({
      client: new LeafClient('nowhere', credentials.createInsecure(), {
        ...ofClient,
        channelOverride: channel,
      }) as GrpcClient<LeafClient>,
      channel,
    }),
  });
  return container.get<Plain>(identifier);
}

/** Starts a call in grpc-js's form, of any kind. */
function start(
  { client }: Plain,
  kind: CallKind,
  caseId: string,
  options: Parameters<typeof startChild>[4] = {},
): Promise<ServiceError | undefined> {
  return startChild(client, kind, 'callback', caseId, options);
}

/** An address that nobody listens on now. */
async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

/** The same, as the call object, with the first reply, or the error. */
function startBare(
  client: LeafClient,
  kind: CallKind,
  metadata: Metadata,
  settle: (error: ServiceError | null, reply?: RelayReply) => void,
): { cancel(): void } {
  switch (kind) {
    case 'unary':
      return client.unary(REQUEST, metadata, settle);
    case 'serverStream':
      return client
        .serverStream(REQUEST, metadata)
        .on('error', settle)
        .on('data', (reply: RelayReply) => settle(null, reply));
    case 'clientStream': {
      const call = client.clientStream(metadata, settle);
      call.write(REQUEST);
      call.end();
      return call;
    }
    case 'bidi': {
      const call = client
        .bidi(metadata)
        .on('error', settle)
        .on('data', (reply: RelayReply) => settle(null, reply));
      call.write(REQUEST);
      call.end();
      return call;
    }
  }
}

/** Goes on with the call when `until` has settled. */
function delaying(until: Promise<unknown>): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => void until.finally(() => next(metadata, listener)),
    });
}

const leaving =
  (word: string): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.add('x-trail', word);
        next(metadata, listener);
      },
    });

const PARENT_METADATA = new Metadata();
PARENT_METADATA.set('x-request-id', 'of the parent');

describe.each(CALL_KINDS)('%s', (kind) => {
  test('has the metadata, the timeout, the credentials and the interceptors of the registration', async () => {
    const caseId = caseName();
    const client = plain(
      {
        metadata: { 'x-tenant': 'registered', [CASE_KEY]: 'never' },
        timeoutMs: 60_000,
        interceptors: [leaving('channel'), { interceptor: leaving('client'), scope: 'client' }],
        callCredentials: [async () => ({ 'x-token': 'secret' })],
        unsafeUseInsecureChannelCallCredentials: true,
      },
      { interceptors: [leaving("grpc-js's client")] },
    );

    const outcome = start(client, kind, caseId);
    const arrival = await leaf.arrived(caseId);
    arrival.answer();

    expect(await outcome).toBeUndefined();
    expect(arrival.kind).toBe(kind);
    expect(arrival.metadata.get('x-tenant')).toEqual(['registered']);
    expect(arrival.metadata.get('x-token')).toEqual(['secret']);
    expect(arrival.metadata.get('x-trail')).toEqual(["grpc-js's client, client, channel"]);
    expect(arrival.deadline).toBeGreaterThan(Date.now() + 50_000);
    expect(arrival.deadline).toBeLessThan(Date.now() + 61_000);
  });

  test('sets what the registration has only where it says so itself', async () => {
    const caseId = caseName();
    const client = plain({ timeoutMs: 1 });

    const outcome = start(client, kind, caseId, { deadline: Date.now() + 60_000 });
    const arrival = await leaf.arrived(caseId);
    arrival.answer();

    expect(await outcome).toBeUndefined();
    expect(arrival.deadline).toBeGreaterThan(Date.now() + 50_000);
  });

  test.each([
    ['as the class spells it', (name: string) => name],
    ['as the .proto does', (name: string) => name.charAt(0).toUpperCase() + name.slice(1)],
    ['by its path', (name: string) => `/grpc_di.test.v1.Leaf/${name.charAt(0).toUpperCase()}${name.slice(1)}`],
  ])('has the timeout of its method, %s', async (_how, spelt) => {
    const caseId = caseName();
    const client = plain({ timeoutMs: 1, methods: { [spelt(kind)]: { timeoutMs: Infinity } } });

    const outcome = start(client, kind, caseId);
    const arrival = await leaf.arrived(caseId);
    arrival.answer();

    expect(await outcome).toBeUndefined();
    expect(arrival.deadline).toBe(Infinity);
  });

  test.each<[string, GrpcClientOptions]>([
    ['client', { waitForReady: true }],
    ['method', { waitForReady: false, methods: { [kind]: { waitForReady: true } } }],
  ])("waits for a connection with its %s's waitForReady, unless its Metadata says otherwise", async (_who, options) => {
    const { client } = plain({ address: await freeAddress(), ...options });
    const [waiting, failed] = [deferred<ServiceError | null>(), deferred<ServiceError | null>()];
    const call = startBare(client, kind, new Metadata(), waiting.resolve);
    startBare(client, kind, new Metadata({ waitForReady: false }), failed.resolve);

    expect((await failed.promise)?.code).toBe(status.UNAVAILABLE);
    // The other would have failed by now, too: both learn from the same connection.
    await new Promise(setImmediate);
    call.cancel();
    expect((await waiting.promise)?.code).toBe(status.CANCELLED);
  });

  test('says whose timeout it was', async () => {
    const client = plain({ name: 'slow', timeoutMs: 1 });

    const error = await start(client, kind, caseName());

    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error?.details).toContain("the default timeoutMs of gRPC client 'slow'");
  });

  test("has its parent's deadline, metadata and cancellation", async () => {
    const [answered, cancelled] = [caseName(), caseName()];
    const controller = new AbortController();
    const client = plain({ enableCallContextPropagation: { metadata: ['x-request-id'] } });
    const deadline = Date.now() + 60_000;

    await runInCallContext({ deadline, signal: controller.signal, requestMetadata: PARENT_METADATA }, async () => {
      const outcomes = [start(client, kind, answered), start(client, kind, cancelled)];
      const [first, second] = [await leaf.arrived(answered), await leaf.arrived(cancelled)];
      first.answer();
      expect(await outcomes[0]).toBeUndefined();
      controller.abort();

      expect(await outcomes[1]).toMatchObject({ code: status.CANCELLED, cause: { name: 'CallCancelledError' } });
      await second.cancelled;
      // The header counts from its arrival.
      expect(Math.abs(first.deadline - deadline)).toBeLessThan(5_000);
      expect(first.metadata.get('x-request-id')).toEqual(['of the parent']);
    });
  });

  test('throws at the call site without a parent', () => {
    const client = plain({ enableCallContextPropagation: true });

    expect(() => start(client, kind, caseName())).toThrow(CallContextNotFoundError);
  });

  test('throws at the call site what an interceptor throws', () => {
    const client = plain({
      interceptors: [
        () => {
          throw new Error('no token');
        },
      ],
    });

    expect(() => start(client, kind, caseName())).toThrow('no token');
  });

  test('fails on a closed channel, as on the registration of a generated class', async () => {
    const client = plain({ name: 'closed' });
    await container.get(GrpcClientFactory).close();

    expect(await start(client, kind, caseName())).toMatchObject({
      code: status.UNAVAILABLE,
      details: "gRPC client 'closed' is closed: GrpcClientFactory.close() was called",
    });
  });

  test('interceptors see messages as bytes, and may exchange them', async () => {
    const caseId = caseName();
    const sent: unknown[] = [];
    const exchange: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start: (metadata, listener, next) =>
          next(metadata, {
            onReceiveMessage: (message: unknown, nextMessage) => {
              const reply = RelayReply.decode(message as Buffer);
              nextMessage(Buffer.from(RelayReply.encode({ ...reply, text: 'exchanged' }).finish()));
            },
          }),
        sendMessage: (message: unknown, next) => {
          sent.push(message);
          next(message);
        },
      });
    const { client } = plain({ interceptors: [exchange] });
    const metadata = new Metadata();
    metadata.set(CASE_KEY, caseId);

    const replied = deferred<string | undefined>();
    startBare(client, kind, metadata, (_error, reply) => replied.resolve(reply?.text));
    (await leaf.arrived(caseId)).answer();

    expect(await replied.promise).toBe('exchanged');
    expect(sent).toEqual([expect.any(Buffer)]);
  });

  describe.each([
    ["grpc-js's client", (interceptor: Interceptor) => plain({}, { interceptors: [interceptor] })],
    ['the registration', (interceptor: Interceptor) => plain({ interceptors: [interceptor] })],
  ])('an interceptor of %s that goes on later', (_whose, clientWith) => {
    test('delays the call, whatever was asked of it before', async () => {
      const caseId = caseName();
      const go = deferred();

      const outcome = start(clientWith(delaying(go.promise)), kind, caseId, { deadline: Date.now() + 4_000 });
      await stoodStill(() => leaf.arrivals(caseId));
      expect(leaf.arrivals(caseId)).toBe(0);
      go.resolve();
      (await leaf.arrived(caseId)).answer();

      expect(await outcome).toBeUndefined();
    });

    test('finds a call that was cancelled: nothing reaches the server', async () => {
      const caseId = caseName();
      const go = deferred();
      const { client } = clientWith(delaying(go.promise));
      const metadata = new Metadata();
      metadata.set(CASE_KEY, caseId);
      const ended = deferred<ServiceError | null>();
      const call = startBare(client, kind, metadata, (error) => ended.resolve(error));
      call.cancel();
      go.resolve();

      expect(await ended.promise).toMatchObject({ code: status.CANCELLED });
      await stoodStill(() => leaf.arrivals(caseId));
      expect(leaf.arrivals(caseId)).toBe(0);
    });
  });
});

/** Starts the call anew on any failure, as grpc-js's guide to interceptors does; three attempts at most. */
function retrying(attempts: status[]): Interceptor {
  return (options, nextCall) => {
    let sent: unknown;
    let reply: unknown;
    return new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        const onReceiveMessage = (message: unknown): void => {
          reply = message;
        };
        const onReceiveStatus = (received: StatusObject): void => {
          attempts.push(received.code);
          if (received.code === status.OK || attempts.length === 3) {
            listener.onReceiveMessage(reply);
            listener.onReceiveStatus(received);
            return;
          }
          const again = nextCall(options);
          again.start(metadata, { onReceiveMetadata: () => {}, onReceiveMessage, onReceiveStatus });
          again.sendMessage(sent);
          again.halfClose();
        };
        next(metadata, { onReceiveMessage, onReceiveStatus });
      },
      sendMessage(message, next) {
        sent = message;
        next(message);
      },
    });
  };
}

describe('an interceptor that starts a second attempt', () => {
  /** A unary call whose first attempt has failed, and whose second is at the server. */
  async function inSecondAttempt(
    server: { readonly address: string },
    served: ServedCall[],
    options: GrpcClientOptions = {},
  ) {
    const attempts: status[] = [];
    const { client } = plain({ address: server.address, interceptors: [retrying(attempts)], ...options });
    const ended = deferred<unknown>();
    const call = client.unary(REQUEST, (error, reply) => ended.resolve(error ?? reply));
    await reaches(served, 1);
    served[0]!.fail(status.UNAVAILABLE, 'later');
    await reaches(served, 2);
    return { attempts, outcome: ended.promise, call };
  }

  async function reaches(served: ServedCall[], count: number): Promise<void> {
    while (served.length < count) {
      await new Promise(setImmediate);
    }
  }

  test('gets its response, which the client asked the first one for', async () => {
    const served: ServedCall[] = [];
    await using connected = await serveAll((call) => served.push(call));
    const { attempts, outcome } = await inSecondAttempt(connected.server, served);
    served[1]!.answer();

    expect(await outcome).toEqual(REPLY);
    expect(attempts).toEqual([status.UNAVAILABLE, status.OK]);
  });

  test("ends with its parent, and no third starts: the parent's deadline counts for each", async () => {
    const served: ServedCall[] = [];
    await using connected = await serveAll((call) => served.push(call));
    const controller = new AbortController();

    await runInCallContext({ signal: controller.signal, timeoutMs: 60_000 }, async () => {
      const { outcome } = await inSecondAttempt(connected.server, served, { enableCallContextPropagation: true });
      const cancelled = first(served[1]!.call as EventEmitter, 'cancelled');
      controller.abort();

      expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: { name: 'CallCancelledError' } });
      await cancelled;
    });

    await stoodStill(() => served.length);
    const deadlines = served.map(({ call }) => Number(call.getDeadline()));
    expect(deadlines).toHaveLength(2);
    expect(Math.max(...deadlines)).toBeLessThan(Date.now() + 61_000);
  });

  test('ends with cancel(), and no third starts', async () => {
    const served: ServedCall[] = [];
    await using connected = await serveAll((call) => served.push(call));
    const { attempts, outcome, call } = await inSecondAttempt(connected.server, served);
    const cancelled = first(served[1]!.call as EventEmitter, 'cancelled');
    call.cancel();

    expect(await outcome).toMatchObject({ code: status.CANCELLED, details: 'Cancelled on client' });
    await cancelled;
    expect(attempts).toEqual([status.UNAVAILABLE, status.CANCELLED, status.CANCELLED]);
    await stoodStill(() => served.length);
    expect(served).toHaveLength(2);
  });
});

test('an ended call leaves no listener behind', async () => {
  const caseId = caseName();
  const controller = new AbortController();
  const client = plain({ enableCallContextPropagation: true });

  await runInCallContext({ signal: controller.signal }, async () => {
    const outcome = start(client, 'unary', caseId);
    (await leaf.arrived(caseId)).answer();
    expect(await outcome).toBeUndefined();
  });

  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

test("a call's own Metadata is not written to, and serves calls of several parents", async () => {
  const metadata = new Metadata();
  metadata.set(CASE_KEY, caseName());
  const before = metadata.toJSON();
  const { client } = plain({
    metadata: { 'x-tenant': 'registered' },
    waitForReady: true,
    interceptors: [leaving('registered')],
    enableCallContextPropagation: { metadata: ['x-request-id'] },
  });

  for (const id of ['1', '2']) {
    const requestMetadata = new Metadata();
    requestMetadata.set('x-request-id', id);
    const caseId = caseName();
    metadata.set(CASE_KEY, caseId);
    await runInCallContext({ requestMetadata }, async () => {
      const done = new Promise((resolve) => client.unary(REQUEST, metadata, resolve));
      const arrival = await leaf.arrived(caseId);
      arrival.answer();
      await done;
      expect(arrival.metadata.get('x-request-id')).toEqual([id]);
    });
  }

  expect(Object.keys(metadata.toJSON())).toEqual(Object.keys(before));
  expect(metadata.getOptions()).toEqual({});
});

test('closing such a client closes it alone', async () => {
  const identifier = Symbol('plain');
  createGrpcClient<LeafClient>(container, identifier, {
    name: 'closing',
    address: leaf.address,
    createClient: (channelOverride) => new LeafClient('', credentials.createInsecure(), { channelOverride }),
  });
  const [closed, other] = [container.get<LeafClient>(identifier), container.get<LeafClient>(identifier)];
  expect(closed).not.toBe(other);
  closed.close();

  expect(await startChild(closed as GrpcClient<LeafClient>, 'unary', 'callback', caseName())).toMatchObject({
    code: status.UNAVAILABLE,
    details: "this object of gRPC client 'closing' is closed: its close() was called",
  });
  const caseId = caseName();
  const outcome = startChild(other as GrpcClient<LeafClient>, 'unary', 'callback', caseId);
  (await leaf.arrived(caseId)).answer();
  expect(await outcome).toBeUndefined();
});

describe('channel.createCall, for clients of other libraries', () => {
  /** As a library on top of channels makes a call; resolves with the status. */
  function call(channel: ChannelInterface, caseId: string, own?: CallCredentials): Promise<StatusObject> {
    return new Promise((resolve) => {
      const started = channel.createCall('/grpc_di.test.v1.Leaf/Unary', Infinity, null, null, null);
      if (own !== undefined) {
        started.setCredentials(own);
      }
      const metadata = new Metadata();
      metadata.set(CASE_KEY, caseId);
      started.start(metadata, {
        onReceiveMetadata: () => {},
        onReceiveMessage: () => {},
        onReceiveStatus: resolve,
      });
      started.startRead();
      started.sendMessageWithContext({}, Buffer.alloc(0));
      started.halfClose();
    });
  }

  test.each([
    ['with interceptors', [leaving('registered')]],
    ['without', []],
  ])('brings the options, %s', async (_how, interceptors) => {
    const caseId = caseName();
    const { channel } = plain({
      metadata: { 'x-tenant': 'registered' },
      timeoutMs: 60_000,
      interceptors,
      unsafeUseInsecureChannelCallCredentials: true,
    });
    const own = CallCredentials.createFromMetadataGenerator((_call, give) => {
      const metadata = new Metadata();
      metadata.set('x-token', 'own');
      give(null, metadata);
    });

    const ended = call(channel, caseId, own);
    const arrival = await leaf.arrived(caseId);
    arrival.answer();

    expect((await ended).code).toBe(status.OK);
    expect(arrival.metadata.get('x-tenant')).toEqual(['registered']);
    expect(arrival.metadata.get('x-token')).toEqual(['own']);
    expect(arrival.metadata.get('x-trail')).toEqual(interceptors.length === 0 ? [] : ['registered']);
    expect(arrival.deadline).toBeLessThan(Infinity);
  });

  test('throws without a parent where one is needed', () => {
    const { channel } = plain({ enableCallContextPropagation: true });

    expect(() => channel.createCall('/grpc_di.test.v1.Leaf/Unary', Infinity, null, null, null)).toThrow(
      CallContextNotFoundError,
    );
  });
});

describe('the method definition that interceptors get', () => {
  async function seenBy(register: (interceptor: Interceptor) => LeafClient): Promise<unknown[]> {
    const seen: unknown[] = [];
    const client = register((options, nextCall) => {
      const { path, requestStream, responseStream } = options.method_definition;
      seen.push([path.split('/')[2], requestStream, responseStream]);
      return new InterceptingCall(nextCall(options));
    });
    for (const kind of CALL_KINDS) {
      const caseId = caseName();
      const outcome = startChild(client as GrpcClient<LeafClient>, kind, 'callback', caseId);
      (await leaf.arrived(caseId)).answer();
      expect(await outcome).toBeUndefined();
    }
    return seen;
  }

  test("is the rpc's where the class is known", async () => {
    const seen = await seenBy((interceptor) => {
      createGrpcClient(container, LeafClient, {
        address: leaf.address,
        interceptors: [interceptor],
        createClient: (channelOverride) => new LeafClient('', credentials.createInsecure(), { channelOverride }),
      });
      return container.get<LeafClient>(LeafClient);
    });

    expect(seen).toEqual([
      ['Unary', false, false],
      ['ServerStream', false, true],
      ['ClientStream', true, false],
      ['Bidi', true, true],
    ]);
  });

  test('says that it may stream both ways where it is not', async () => {
    const seen = await seenBy((interceptor) => plain({ interceptors: [interceptor] }).client);

    expect(seen).toEqual([
      ['Unary', true, true],
      ['ServerStream', true, true],
      ['ClientStream', true, true],
      ['Bidi', true, true],
    ]);
  });
});
