import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import {
  credentials,
  type experimental,
  InterceptingCall,
  type InterceptingListener,
  type Interceptor,
  Metadata,
  status,
} from '@grpc/grpc-js';
import { CallContextScope } from '@grpc-di/call-context/opener';
import {
  type CallContextPropagationOptions,
  createGrpcClient,
  currentCallContext,
  diagnosticsChannels,
  type GrpcCallOptions,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { startUnaryCall } from '@grpc-di/client-factory/for-testing';
import { CALL_KINDS, CASE_KEY, type CallKind, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Container } from 'inversify';
import { errorOf, REQUEST, type StartedCall, start } from '../call/served-calls.js';
import { FORMS, startChild } from '../propagation/child-call.js';
import { record } from './recorder.js';

/** Longer than any test takes: a deadline that must not matter. */
const FAR_MS = 60_000;

/** A deadline that passes, but not before the call has started, on a busy machine either. */
const SOON_MS = 400;

const METHODS: Record<CallKind, string> = {
  unary: '/grpc_di.test.v1.Leaf/Unary',
  serverStream: '/grpc_di.test.v1.Leaf/ServerStream',
  clientStream: '/grpc_di.test.v1.Leaf/ClientStream',
  bidi: '/grpc_di.test.v1.Leaf/Bidi',
};

const CALL_EVENTS = ['callStart', 'callCancel', 'callEnd'] as const;

let leaf: RunningLeaf;
let client: GrpcClient<LeafClient>;
const factories: GrpcClientFactory[] = [];

beforeAll(async () => {
  leaf = await startLeaf();
  client = newClient({ enableCallContextPropagation: true });
});

afterAll(async () => {
  await Promise.all(factories.map((factory) => factory.close({ cancelCalls: true })));
  await leaf[Symbol.asyncDispose]();
});

function newClient(options: GrpcClientOptions): GrpcClient<LeafClient> {
  const container = new Container();
  createGrpcClient(container, LeafClient, { address: leaf.address, ...options });
  factories.push(container.get(GrpcClientFactory));
  return getGrpcClient(container, LeafClient, options.name);
}

/** What every message of a call has, of a client that propagates, in an unnamed context without a deadline. */
function callFacts(kind: CallKind): Record<string, unknown> {
  return {
    callId: expect.any(Number),
    client: 'grpc_di.test.v1.Leaf',
    method: METHODS[kind],
    target: leaf.address,
    deadline: Infinity,
    deadlineSource: 'none',
    parent: 'The call context',
  };
}

function metadataOf(caseId: string): { metadata: Record<string, string> } {
  return { metadata: { [CASE_KEY]: caseId } };
}

describe('a call has a start and an end', () => {
  const CASES = CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const));

  test.each(CASES)('that say all of it: success, %s, %s form', async (kind, form) => {
    using recording = record(CALL_EVENTS);
    const caseId = `success/${kind}/${form}`;
    const outcome = runInCallContext({}, () => startChild(client, kind, form, caseId));
    expect(recording.of('callStart')).toStrictEqual([callFacts(kind)]);
    (await leaf.arrived(caseId)).answer();

    expect(await outcome).toBeUndefined();

    expect(recording.order).toEqual(['callStart', 'callEnd']);
    expect(recording.of('callEnd')).toStrictEqual([
      {
        ...callFacts(kind),
        callId: recording.of('callStart')[0]!.callId,
        code: status.OK,
        details: 'OK',
        durationMs: expect.any(Number),
        cancelledBy: undefined,
        refused: false,
      },
    ]);
  });

  test.each(CASES)('that say all of it: failure, %s, %s form', async (kind, form) => {
    using recording = record(CALL_EVENTS);
    const caseId = `failure/${kind}/${form}`;
    const outcome = runInCallContext({}, () => startChild(client, kind, form, caseId));
    (await leaf.arrived(caseId)).fail(status.NOT_FOUND, 'no such user');

    expect((await outcome)?.code).toBe(status.NOT_FOUND);

    expect(recording.order).toEqual(['callStart', 'callEnd']);
    expect(recording.of('callEnd')).toMatchObject([
      { code: status.NOT_FOUND, details: 'no such user', cancelledBy: undefined, refused: false },
    ]);
  });

  test('with the time between them', async () => {
    using recording = record(CALL_EVENTS);
    const before = performance.now();
    const call = runInCallContext({}, () => client.unary(REQUEST, metadataOf('duration')));
    const arrival = await leaf.arrived('duration');
    await new Promise((resolve) => setTimeout(resolve, 50));
    arrival.answer();
    await call;

    const [{ durationMs } = { durationMs: 0 }] = recording.of('callEnd');
    expect(durationMs).toBeLessThanOrEqual(performance.now() - before);
    // The call began some time before it arrived; a timer may be early by a millisecond.
    expect(durationMs).toBeGreaterThan(45);
  });

  test('and an id of their own', async () => {
    using recording = record(CALL_EVENTS);
    const calls = runInCallContext({}, () => [1, 2].map((index) => client.unary(REQUEST, metadataOf(`ids/${index}`))));
    for (const index of [2, 1]) {
      (await leaf.arrived(`ids/${index}`)).answer();
      await calls[index - 1];
    }
    const [first, second] = recording.of('callStart').map(({ callId }) => callId as number);
    expect(second).toBe(first! + 1);
    expect(recording.of('callEnd').map(({ callId }) => callId)).toEqual([second, first]);
  });

  test('for each attempt of an interceptor', async () => {
    const twice: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, listener, next) {
          // Nobody reads this first attempt; the second is the caller's.
          nextCall(options).start(metadata, { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus() {} });
          next(metadata, listener);
        },
      });
    const interceptedClient = newClient({ interceptors: [twice] });
    using recording = record(['callStart']);
    const call = interceptedClient.unary(REQUEST, metadataOf('attempts'));
    (await leaf.arrived('attempts')).answer();
    await call;
    expect(recording.of('callStart')).toHaveLength(2);
  });
});

describe("the deadline's source is", () => {
  const interceptor: Interceptor = (options, nextCall) =>
    new InterceptingCall(nextCall({ ...options, deadline: INTERCEPTORS_DEADLINE }));
  const INTERCEPTORS_DEADLINE = Date.now() + FAR_MS;

  interface DeadlineCase {
    name: string;
    parentTimeoutMs?: number;
    options?: GrpcCallOptions;
    clients?: GrpcClientOptions;
    propagation?: CallContextPropagationOptions;
    source: string;
    /** Milliseconds from now; a second more or less is no matter. */
    inMs: number;
  }

  test.each<DeadlineCase>([
    { name: 'none', source: 'none', inMs: Infinity },
    { name: "the call's timeoutMs", options: { timeoutMs: FAR_MS }, source: 'own', inMs: FAR_MS },
    { name: "the call's deadline", options: { deadline: Date.now() + FAR_MS }, source: 'own', inMs: FAR_MS },
    { name: "the client's timeoutMs", clients: { timeoutMs: FAR_MS }, source: 'default', inMs: FAR_MS },
    {
      name: "none, where the call switches off the client's",
      clients: { timeoutMs: FAR_MS },
      options: { timeoutMs: Infinity },
      source: 'none',
      inMs: Infinity,
    },
    {
      name: "the parent's",
      parentTimeoutMs: FAR_MS,
      options: { timeoutMs: 2 * FAR_MS },
      source: 'parent',
      inMs: FAR_MS,
    },
    {
      name: "the parent's, less a margin",
      parentTimeoutMs: 2 * FAR_MS,
      propagation: { deadlineMarginMs: FAR_MS },
      source: 'parent',
      inMs: FAR_MS,
    },
    {
      name: "the call's, where it is smaller than the parent's",
      parentTimeoutMs: 2 * FAR_MS,
      options: { timeoutMs: FAR_MS },
      source: 'own',
      inMs: FAR_MS,
    },
    {
      name: "none, where the parent's does not reach it",
      parentTimeoutMs: FAR_MS,
      propagation: { deadline: false },
      source: 'none',
      inMs: Infinity,
    },
    { name: "an interceptor's", clients: { interceptors: [interceptor] }, source: 'interceptor', inMs: FAR_MS },
  ])('$name', async ({ name, parentTimeoutMs, options, clients, propagation, source, inMs }) => {
    const caller = newClient({ ...clients, enableCallContextPropagation: propagation ?? true });
    const caseId = `source/${name.replaceAll(' ', '-')}`;
    using recording = record(['callStart']);
    const now = Date.now();
    const call = runInCallContext({ timeoutMs: parentTimeoutMs }, () =>
      caller.unary(REQUEST, { ...options, ...metadataOf(caseId) }),
    );
    const [message] = recording.of('callStart');
    expect(message!.deadlineSource).toBe(source);
    if (inMs === Infinity) {
      expect(message!.deadline).toBe(Infinity);
    } else {
      expect(Math.abs((message!.deadline as number) - now - inMs)).toBeLessThan(30_000);
    }
    (await leaf.arrived(caseId)).answer();
    await call;
  });
});

test('the parent is named', async () => {
  const scope = new CallContextScope({ name: '/shop.v1.Orders/Place' });
  using recording = record(['callStart']);
  const call = scope.run(() => client.unary(REQUEST, metadataOf('named')));
  (await leaf.arrived('named')).answer();
  await call;
  expect(recording.of('callStart')).toMatchObject([{ parent: 'The call of /shop.v1.Orders/Place' }]);
});

interface Cancelling {
  /** What `runInCallContext` and the call get. */
  parent?: { signal?: AbortSignal; timeoutMs?: number };
  options?: { signal?: AbortSignal; timeoutMs?: number };
  clients?: GrpcClientOptions;
  /** Runs when the server has the call; without it the call is left to its deadline. */
  cut?: (call: StartedCall) => unknown;
  by: string;
  code: status;
  details: string | RegExp;
  reason: string | undefined;
}

describe('a call that is cut short tells who did it, and why', () => {
  const deafToCancel: Interceptor = (options, nextCall) => new InterceptingCall(nextCall(options), { cancel() {} });

  /** Made for each test, so that each has a signal of its own. */
  const CASES: Record<string, () => Cancelling> = {
    'the parent is cancelled': () => {
      const parent = new AbortController();
      return {
        parent: { signal: parent.signal },
        cut: () => parent.abort(new Error('the client left')),
        by: 'parent',
        code: status.CANCELLED,
        details: 'Cancelled by the parent: The call context was cancelled by its signal',
        reason: 'CallCancelledError: The call context was cancelled by its signal',
      };
    },
    "the parent's deadline passes": () => ({
      parent: { timeoutMs: SOON_MS },
      by: 'deadline',
      code: status.DEADLINE_EXCEEDED,
      details: "Deadline exceeded (the parent's deadline, that of the call context)",
      reason: expect.stringContaining('CallCancelledError: ') as unknown as string,
    }),
    'the signal aborts': () => {
      const signal = new AbortController();
      return {
        options: { signal: signal.signal },
        cut: () => signal.abort('not needed any more'),
        by: 'signal',
        code: status.CANCELLED,
        details: "Cancelled by the call's signal",
        reason: 'not needed any more',
      };
    },
    'the signal aborts without a reason': () => {
      const signal = new AbortController();
      return {
        options: { signal: signal.signal },
        cut: () => signal.abort(),
        by: 'signal',
        code: status.CANCELLED,
        details: "Cancelled by the call's signal",
        reason: 'AbortError: This operation was aborted',
      };
    },
    'the caller cancels': () => ({
      cut: (call) => call.cancel({ some: 'object' }),
      by: 'caller',
      code: status.CANCELLED,
      details: 'Cancelled on client',
      reason: "{ some: 'object' }",
    }),
    'the caller cancels without a reason': () => ({
      cut: (call) => call.cancel(),
      by: 'caller',
      code: status.CANCELLED,
      details: 'Cancelled on client',
      reason: undefined,
    }),
    'the caller cancels with what cannot be shown': () => ({
      cut: (call) =>
        call.cancel({
          get message(): string {
            throw new Error('no');
          },
        }),
      by: 'caller',
      code: status.CANCELLED,
      details: 'Cancelled on client',
      reason: 'a reason that cannot be shown',
    }),
    'the caller cancels, and an interceptor does not pass it on': () => ({
      clients: { interceptors: [deafToCancel] },
      cut: (call) => call.cancel('enough'),
      by: 'caller',
      code: status.CANCELLED,
      details: 'Cancelled on client',
      reason: 'enough',
    }),
    'its own deadline passes': () => ({
      options: { timeoutMs: SOON_MS },
      by: 'deadline',
      code: status.DEADLINE_EXCEEDED,
      details: "Deadline exceeded (the call's own deadline)",
      reason: undefined,
    }),
    "the client's default deadline passes": () => ({
      clients: { timeoutMs: SOON_MS },
      by: 'deadline',
      code: status.DEADLINE_EXCEEDED,
      details: "Deadline exceeded (the default timeoutMs of gRPC client 'grpc_di.test.v1.Leaf')",
      reason: undefined,
    }),
    'the client is closed': () => ({
      clients: {},
      cut: () => factories.at(-1)!.close({ cancelCalls: true }),
      by: 'close',
      code: status.CANCELLED,
      details: "Cancelled: gRPC client 'grpc_di.test.v1.Leaf' is closed: GrpcClientFactory.close() was called",
      reason: undefined,
    }),
  };

  describe.each(Object.keys(CASES))('%s', (name) => {
    test.each(CALL_KINDS)('%s', async (kind) => {
      const { parent, options, clients, cut, by, code, details, reason } = CASES[name]!();
      const caller = clients === undefined ? client : newClient({ ...clients, enableCallContextPropagation: true });
      const caseId = `cut/${name.replaceAll(' ', '-')}/${kind}`;
      using recording = record(CALL_EVENTS);

      const error = await runInCallContext(parent ?? {}, async () => {
        const call = start(caller, kind, { ...options, ...metadataOf(caseId) });
        const outcome = errorOf(call);
        if (cut !== undefined) {
          await leaf.arrived(caseId);
          cut(call);
        }
        return outcome;
      });

      expect(error.code).toBe(code);
      expect(recording.order).toEqual(['callStart', 'callCancel', 'callEnd']);
      const [callStart] = recording.of('callStart');
      expect(recording.of('callCancel')).toStrictEqual([{ ...callStart, by, code, details, reason }]);
      expect(recording.of('callEnd')).toStrictEqual([
        {
          ...callStart,
          code,
          details: error.details,
          durationMs: expect.any(Number),
          cancelledBy: by,
          refused: false,
        },
      ]);
    });
  });

  test.each(['serverStream', 'bidi'] as const)('a loop over it is left early: %s', async (kind) => {
    const caseId = `cut/loop/${kind}`;
    using recording = record(['callCancel', 'callEnd']);
    const options = metadataOf(caseId);
    const call = runInCallContext({}, () =>
      kind === 'bidi' ? client.bidi([REQUEST], options) : client.serverStream(REQUEST, options),
    );
    (await leaf.arrived(caseId)).send({ id: 'first', text: '', deadline: 0 });
    for await (const _message of call) {
      break;
    }
    await call.status;
    expect(recording.all).toMatchObject([
      { event: 'callCancel', message: { by: 'caller', code: status.CANCELLED } },
      { event: 'callEnd', message: { cancelledBy: 'caller', code: status.CANCELLED } },
    ]);
  });

  test('grpc-js cancels the callback form', async () => {
    using recording = record(['callCancel', 'callEnd']);
    const call = runInCallContext({}, () => client.serverStream(REQUEST, new Metadata()).on('error', () => {}));
    const ended = new Promise((resolve) => {
      call.on('status', resolve);
    });
    call.cancel();
    await ended;
    expect(recording.all).toMatchObject([
      { event: 'callCancel', message: { by: 'caller', code: status.CANCELLED } },
      { event: 'callEnd', message: { cancelledBy: 'caller', code: status.CANCELLED } },
    ]);
  });

  test('unless an answer was faster', async () => {
    // A transport of our own: no server's answer can be had to arrive in the very moment of the cancel.
    let receiver: InterceptingListener | undefined;
    const transport: Partial<experimental.CallStream> = {
      start(_metadata, listener) {
        receiver = listener;
      },
      cancelWithStatus() {
        receiver?.onReceiveStatus({ code: status.NOT_FOUND, details: 'no such user', metadata: new Metadata() });
        receiver = undefined;
      },
      sendMessageWithContext() {},
      startRead() {},
      halfClose() {},
    };
    using recording = record(CALL_EVENTS);
    const call = startUnaryCall(transport as experimental.CallStream);
    call.cancel();
    await call.status;
    expect(recording.order).toEqual(['callStart', 'callCancel', 'callEnd']);
    expect(recording.of('callEnd')).toMatchObject([{ code: status.NOT_FOUND, cancelledBy: undefined }]);
  });

  test('but a CANCELLED of the server is nobody of ours', async () => {
    using recording = record(['callCancel', 'callEnd']);
    const outcome = runInCallContext({}, () => startChild(client, 'unary', 'promise', 'cut/server'));
    (await leaf.arrived('cut/server')).fail(status.CANCELLED, 'by the server');
    await outcome;
    expect(recording.order).toEqual(['callEnd']);
    expect(recording.of('callEnd')).toMatchObject([{ code: status.CANCELLED, cancelledBy: undefined }]);
  });
});

describe('a call that is refused starts and ends, and is not cancelled', () => {
  const token = credentials.createFromMetadataGenerator((_params, callback) => callback(null, new Metadata()));
  const CASES: Record<
    string,
    { parent?: object; options?: object; close?: boolean; code: status; cancelledBy: string | undefined }
  > = {
    'its parent is cancelled': {
      parent: { signal: AbortSignal.abort() },
      code: status.CANCELLED,
      cancelledBy: 'parent',
    },
    "its parent's deadline is over": {
      parent: { timeoutMs: 0 },
      code: status.DEADLINE_EXCEEDED,
      cancelledBy: 'deadline',
    },
    'its own deadline is over': {
      options: { deadline: 1 },
      code: status.DEADLINE_EXCEEDED,
      cancelledBy: 'deadline',
    },
    'its signal has aborted': {
      options: { signal: AbortSignal.abort() },
      code: status.CANCELLED,
      cancelledBy: 'signal',
    },
    'its client is closed': { close: true, code: status.UNAVAILABLE, cancelledBy: 'close' },
    'it brings credentials in clear text': {
      options: { credentials: token },
      code: status.UNAUTHENTICATED,
      cancelledBy: undefined,
    },
  };

  describe.each(Object.entries(CASES))('%s', (_name, { parent = {}, options, close, code, cancelledBy }) => {
    test.each(CALL_KINDS)('%s', async (kind) => {
      const caller = newClient({ enableCallContextPropagation: true });
      if (close) {
        await factories.at(-1)!.close();
      }
      using recording = record(CALL_EVENTS);
      const error = await runInCallContext(parent, () => errorOf(start(caller, kind, options)));
      expect(recording.order).toEqual(['callStart', 'callEnd']);
      expect(recording.of('callStart')).toMatchObject([{ method: METHODS[kind], target: leaf.address }]);
      expect(recording.of('callEnd')).toStrictEqual([
        {
          ...recording.of('callStart')[0],
          code,
          details: error.details,
          durationMs: expect.any(Number),
          cancelledBy,
          refused: true,
        },
      ]);
    });
  });
});

describe('the messages', () => {
  test('come in the context of whoever made the call', async () => {
    const user = new AsyncLocalStorage<string>();
    const signal = new AbortController();
    const seen: unknown[] = [];
    using _recording = record(CALL_EVENTS, ({ event }) => {
      seen.push([event, user.getStore(), currentCallContext() !== undefined]);
    });
    await runInCallContext({}, async () => {
      const outcome = user.run('alice', () =>
        startChild(client, 'unary', 'promise', 'context', { signal: signal.signal }),
      );
      await leaf.arrived('context');
      user.run('bob', () => signal.abort());
      await outcome;
    });
    expect(seen).toEqual([
      ['callStart', 'alice', true],
      ['callCancel', 'alice', true],
      ['callEnd', 'alice', true],
    ]);
  });

  test('are plain data, which can keep no call', async () => {
    using recording = record(CALL_EVENTS);
    const call = runInCallContext({}, () => client.unary(REQUEST, metadataOf('plain')));
    await leaf.arrived('plain');
    call.cancel(new Error('any'));
    await call.status;
    expect(recording.order).toEqual(['callStart', 'callCancel', 'callEnd']);
    for (const { message } of recording.all) {
      expect(Object.getPrototypeOf(message)).toBe(Object.prototype);
      for (const value of Object.values(message)) {
        expect(['string', 'number', 'boolean', 'undefined']).toContain(typeof value);
      }
    }
  });

  test('do not take over what a subscriber made of an earlier one', async () => {
    using recording = record(CALL_EVENTS, ({ event, message }) => {
      if (event === 'callStart') {
        Object.assign(message, { client: 'changed', span: {} });
      }
    });
    const call = runInCallContext({}, () => client.unary(REQUEST, metadataOf('changed')));
    (await leaf.arrived('changed')).answer();
    await call;
    const [callEnd] = recording.of('callEnd');
    expect(callEnd).toMatchObject({ client: 'grpc_di.test.v1.Leaf' });
    expect(callEnd).not.toHaveProperty('span');
  });

  test('are not made while nobody listens', async () => {
    const publish = Object.values(diagnosticsChannels).map((name) => jest.spyOn(channel(name), 'publish'));
    const clock = jest.spyOn(performance, 'now');
    try {
      const call = runInCallContext({}, () => client.unary(REQUEST, metadataOf('unheard')));
      (await leaf.arrived('unheard')).answer();
      await call;
      for (const spy of publish) {
        expect(spy).not.toHaveBeenCalled();
      }
      expect(clock).not.toHaveBeenCalled();
    } finally {
      jest.restoreAllMocks();
    }
  });

  test('end with the subscription, in the midst of a call too', async () => {
    const recording = record(CALL_EVENTS);
    const call = runInCallContext({}, () => client.unary(REQUEST, metadataOf('unsubscribed')));
    recording[Symbol.dispose]();
    (await leaf.arrived('unsubscribed')).answer();
    await call;
    expect(recording.order).toEqual(['callStart']);
  });

  test('begin with the next call after the subscription', async () => {
    const call = runInCallContext({}, () => client.unary(REQUEST, metadataOf('late')));
    const arrival = await leaf.arrived('late');
    using recording = record(CALL_EVENTS);
    arrival.answer();
    await call;
    expect(recording.order).toEqual([]);
  });

  test.each(CALL_EVENTS)('of one channel alone: %s', async (event) => {
    using recording = record([event]);
    const call = runInCallContext({}, () => client.unary(REQUEST, metadataOf(`alone/${event}`)));
    await leaf.arrived(`alone/${event}`);
    call.cancel();
    await call.status;
    expect(recording.order).toEqual([event]);
  });
});
