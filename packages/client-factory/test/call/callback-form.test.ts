import 'reflect-metadata';
import { EventEmitter } from 'node:events';
import { Duplex, Readable, Writable } from 'node:stream';
import { types } from 'node:util';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { GrpcCallOptions, GrpcClient } from '@grpc-di/client-factory';
import {
  CALL_KINDS,
  CASE_KEY,
  type CallKind,
  type LeafClient,
  type RelayReply,
  type RelayRequest,
  type RunningLeaf,
  startLeaf,
} from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ConnectedClient, caseName, connect, first, REPLY, REQUEST, statusOf } from './served-calls.js';

// grpc-js's own forms. The client's registered metadata names the case where a form takes none.

let leaf: RunningLeaf;
let connected: ConnectedClient;

beforeAll(async () => {
  leaf = await startLeaf();
  connected = connect(leaf.address);
});

afterAll(async () => {
  await connected[Symbol.asyncDispose]();
  await leaf[Symbol.asyncDispose]();
});

type Callback = (error: ServiceError | null, response?: RelayReply) => void;

/** All forms of a call, in the words of grpc-js's `Client`. */
interface Forms {
  unary(request: RelayRequest, ...rest: Array<Metadata | GrpcCallOptions | Callback>): ClientUnaryCall;
  serverStream(request: RelayRequest, ...rest: Array<Metadata | GrpcCallOptions>): ClientReadableStream<RelayReply>;
  clientStream(...args: Array<Metadata | GrpcCallOptions | Callback>): ClientWritableStream<RelayRequest>;
  bidi(...args: Array<Metadata | GrpcCallOptions>): ClientDuplexStream<RelayRequest, RelayReply>;
}

type Shape = 'nothing' | 'metadata' | 'options' | 'metadata and options';

const SHAPES: Shape[] = ['nothing', 'metadata', 'options', 'metadata and options'];

interface Started {
  readonly call: ClientUnaryCall;
  /** The one response, or the messages of the stream. */
  readonly result: Promise<RelayReply | RelayReply[]>;
}

/** Starts a call of any kind in grpc-js's form. */
function begin(client: GrpcClient<LeafClient>, kind: CallKind, given: Array<Metadata | GrpcCallOptions>): Started {
  const forms = client as unknown as Forms;
  switch (kind) {
    case 'unary': {
      const { callback, result } = callbackAndResult();
      return { call: forms.unary(REQUEST, ...given, callback), result };
    }
    case 'clientStream': {
      const { callback, result } = callbackAndResult();
      const call = forms.clientStream(...given, callback);
      call.write(REQUEST);
      call.end();
      return { call: call, result };
    }
    case 'serverStream': {
      const call = forms.serverStream(REQUEST, ...given);
      return { call: call, result: messages(call) };
    }
    case 'bidi': {
      const call = forms.bidi(...given);
      call.write(REQUEST);
      call.end();
      return { call: call, result: messages(call) };
    }
  }
}

function callbackAndResult(): { callback: Callback; result: Promise<RelayReply> } {
  let callback!: Callback;
  const result = new Promise<RelayReply>((resolve, reject) => {
    callback = (error, response) => (error === null ? resolve(response!) : reject(error));
  });
  return { callback, result };
}

function messages(call: Readable): Promise<RelayReply[]> {
  const received: RelayReply[] = [];
  return new Promise((resolve, reject) => {
    call
      .on('data', (message: RelayReply) => received.push(message))
      .on('error', reject)
      .on('end', () => resolve(received));
  });
}

/** The arguments of a form, and the metadata that it should bring. */
function argumentsOf(shape: Shape, caseId: string, more: GrpcCallOptions = {}): Array<Metadata | GrpcCallOptions> {
  const metadata = new Metadata();
  metadata.set(CASE_KEY, caseId);
  switch (shape) {
    case 'nothing':
      return [];
    case 'metadata':
      return [metadata];
    case 'options':
      return [{ ...more, metadata }];
    case 'metadata and options':
      return [metadata, more];
  }
}

function expected(kind: CallKind): RelayReply | RelayReply[] {
  return kind === 'unary' || kind === 'clientStream' ? REPLY : [REPLY];
}

describe.each(CALL_KINDS.flatMap((kind) => SHAPES.map((shape) => [kind, shape] as const)))(
  '%s with %s',
  (kind, shape) => {
    test('succeeds', async () => {
      const caseId = caseName();
      await using own = connect(leaf.address, shape === 'nothing' ? { metadata: { [CASE_KEY]: caseId } } : {});
      const { call, result } = begin(own.client, kind, argumentsOf(shape, caseId));
      const ended = statusOf(call);
      (await leaf.arrived(caseId)).answer();

      expect(await result).toEqual(expected(kind));
      expect((await ended).code).toBe(status.OK);
    });

    test('fails', async () => {
      const caseId = caseName();
      await using own = connect(leaf.address, shape === 'nothing' ? { metadata: { [CASE_KEY]: caseId } } : {});
      const { call, result } = begin(own.client, kind, argumentsOf(shape, caseId));
      const ended = statusOf(call);
      const trailers = new Metadata();
      trailers.set('x-trailer', 'last');
      (await leaf.arrived(caseId)).fail(status.ABORTED, 'no', trailers);

      const error = await result.then(
        () => undefined,
        (failure: ServiceError) => failure,
      );
      expect(types.isNativeError(error)).toBe(true);
      expect(error).toMatchObject({ code: status.ABORTED, details: 'no', message: '10 ABORTED: no' });
      expect(error?.metadata.get('x-trailer')).toEqual(['last']);
      expect((await ended).code).toBe(status.ABORTED);
    });
  },
);

describe.each(CALL_KINDS)("%s: grpc-js's call object", (kind) => {
  async function open(options: GrpcCallOptions = {}) {
    const caseId = caseName();
    const started = begin(connected.client, kind, argumentsOf('metadata and options', caseId, options));
    started.result.catch(() => {});
    return { ...started, arrival: await leaf.arrived(caseId) };
  }

  test('is an emitter and the stream that it is in grpc-js, and no promise', async () => {
    const { call, arrival } = await open();

    expect(call).toBeInstanceOf(EventEmitter);
    expect(call instanceof Readable).toBe(kind === 'serverStream' || kind === 'bidi');
    expect(call instanceof Duplex).toBe(kind === 'bidi');
    expect(call instanceof Writable).toBe(kind === 'clientStream' || kind === 'bidi');
    expect('then' in call).toBe(false);
    arrival.answer();
  });

  test('cancel() ends the call', async () => {
    const { call, result, arrival } = await open();
    const ended = statusOf(call);

    call.cancel();

    await expect(result).rejects.toMatchObject({
      code: status.CANCELLED,
      message: '1 CANCELLED: Cancelled on client',
    });
    expect((await ended).code).toBe(status.CANCELLED);
    await arrival.cancelled;
  });

  test('getPeer() names the server', async () => {
    const { call, arrival } = await open();
    const headers = first(call, 'metadata');
    arrival.answer();
    await headers;

    expect(call.getPeer()).toBe(leaf.address);
  });

  test("on('metadata') gets the headers, on('status') the status with the trailers", async () => {
    const { call, arrival } = await open();
    const [headers, ended] = [first<Metadata>(call, 'metadata'), statusOf(call)];
    arrival.answer();

    expect(await headers).toBeInstanceOf(Metadata);
    expect(await ended).toMatchObject({ code: status.OK, details: 'OK' });
    expect((await ended).metadata).toBeInstanceOf(Metadata);
  });

  test('timeoutMs ends the call', async () => {
    const { result, arrival } = await open({ timeoutMs: 400 });

    await expect(result).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await arrival.cancelled;
  });

  test('signal ends the call', async () => {
    const controller = new AbortController();
    const { result, arrival } = await open({ signal: controller.signal });

    controller.abort('enough');

    await expect(result).rejects.toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    await arrival.cancelled;
  });

  test('metadata is sent', async () => {
    const { result, arrival } = await open({ metadata: { 'x-own': 'mine' } });
    arrival.answer();

    await result;
    expect(arrival.metadata.get('x-own')).toEqual(['mine']);
  });

  test('waitForReady is taken', async () => {
    await using nobody = connect('127.0.0.1:1');
    const { result } = begin(nobody.client, kind, [{ waitForReady: true, timeoutMs: 200 }]);

    await expect(result).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('enableCallContextPropagation: false takes the call out of propagation', async () => {
    await using propagating = connect(leaf.address, { enableCallContextPropagation: true });
    const caseId = caseName();
    const { result } = begin(
      propagating.client,
      kind,
      argumentsOf('metadata and options', caseId, { enableCallContextPropagation: false }),
    );
    (await leaf.arrived(caseId)).answer();

    expect(await result).toEqual(expected(kind));
  });
});

describe('callbacks', () => {
  test('get null and the response, once', async () => {
    const caseId = caseName();
    const calls: unknown[][] = [];
    const metadata = new Metadata();
    metadata.set(CASE_KEY, caseId);
    const call = connected.client.unary(REQUEST, metadata, (...args) => calls.push(args));
    const ended = statusOf(call);
    (await leaf.arrived(caseId)).answer();
    await ended;

    expect(calls).toEqual([[null, REPLY]]);
  });

  test("come before 'status', as in grpc-js", async () => {
    const caseId = caseName();
    const events: string[] = [];
    const metadata = new Metadata();
    metadata.set(CASE_KEY, caseId);
    const call = connected.client.unary(REQUEST, metadata, () => events.push('callback'));
    call.on('metadata', () => events.push('metadata'));
    const ended = statusOf(call).then(() => events.push('status'));
    (await leaf.arrived(caseId)).answer();
    await ended;

    expect(events).toEqual(['metadata', 'callback', 'status']);
  });

  test("'finish', the write callback and drain of a client streaming call come", async () => {
    const caseId = caseName();
    const metadata = new Metadata();
    metadata.set(CASE_KEY, caseId);
    const answered = callbackAndResult();
    const call = (connected.client as unknown as Forms).clientStream(metadata, answered.callback);
    const finished = first(call, 'finish');
    await new Promise((resolve) => call.write(REQUEST, resolve));
    call.end();
    await finished;
    (await leaf.arrived(caseId)).answer();

    expect(await answered.result).toEqual(REPLY);
  });
});
