import type { EventEmitter } from 'node:events';
import type {
  Metadata,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceError,
  StatusObject,
  status,
} from '@grpc/grpc-js';
import {
  createGrpcClient,
  type GrpcCall,
  type GrpcCallOptions,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
} from '@grpc-di/client-factory';
import {
  type CallKind,
  LeafClient,
  LeafService,
  type RelayReply,
  type RelayRequest,
  type RelayServer,
  type RunningServer,
  startServer,
} from '@grpc-di/test-rig';
import { Container } from 'inversify';

export const REQUEST: RelayRequest = { id: 'request', script: '', path: [] };
export const REPLY: RelayReply = { id: 'leaf', text: 'done', deadline: 0 };

export function request(id: string, script = ''): RelayRequest {
  return { id, script, path: [] };
}

export function reply(id: string, text = ''): RelayReply {
  return { id, text, deadline: 0 };
}

/** A client of the Leaf service in a container of its own; disposing cancels what still runs. */
export interface ConnectedClient extends AsyncDisposable {
  readonly client: GrpcClient<LeafClient>;
  readonly factory: GrpcClientFactory;
}

export function connect(address: string, options: GrpcClientOptions = {}): ConnectedClient {
  const container = new Container();
  createGrpcClient(container, LeafClient, { address, ...options });
  const factory = container.get(GrpcClientFactory);
  const connected: ConnectedClient = {
    client: getGrpcClient(container, LeafClient),
    factory,
    async [Symbol.asyncDispose]() {
      stillOpen.delete(connected);
      await factory.close({ cancelCalls: true });
    },
  };
  stillOpen.add(connected);
  return connected;
}

const stillOpen = new Set<AsyncDisposable>();

/** For `afterAll`: what a test that timed out left open would keep jest from ending. */
export async function closeAll(): Promise<void> {
  for (const open of stillOpen) {
    await Promise.race([open[Symbol.asyncDispose](), new Promise((resolve) => setTimeout(resolve, 500))]);
  }
}

/** A bare grpc-js server of the Leaf service with the handlers that a test wrote, and a client of it. */
export async function serve(
  handlers: Partial<RelayServer>,
  options: GrpcClientOptions = {},
): Promise<ConnectedClient & { readonly server: RunningServer }> {
  const server = await startServer((grpcServer) => grpcServer.addService(LeafService, handlers as RelayServer));
  stillOpen.add(server);
  const connected = connect(server.address, options);
  return {
    ...connected,
    server,
    async [Symbol.asyncDispose]() {
      await connected[Symbol.asyncDispose]();
      stillOpen.delete(server);
      await server[Symbol.asyncDispose]();
    },
  };
}

type ServerCall =
  | ServerUnaryCall<RelayRequest, RelayReply>
  | ServerReadableStream<RelayRequest, RelayReply>
  | ServerWritableStream<RelayRequest, RelayReply>
  | ServerDuplexStream<RelayRequest, RelayReply>;

/** A call of any kind, as the server sees it. */
export interface ServedCall {
  readonly kind: CallKind;
  readonly call: ServerCall;
  /** One reply and success. */
  readonly answer: (trailers?: Metadata) => void;
  readonly fail: (code: status, details: string, trailers?: Metadata) => void;
}

/** Serves the calls of all four kinds with one handler. */
export function serveAll(
  handle: (served: ServedCall) => void,
  options: GrpcClientOptions = {},
): ReturnType<typeof serve> {
  return serve(handlersOf(handle), options);
}

/** The handlers of the leaf service, of one handler for the calls of all four kinds. */
export function handlersOf(handle: (served: ServedCall) => void): RelayServer {
  return {
    unary: (call, respond) =>
      handle({
        kind: 'unary',
        call,
        answer: (trailers) => respond(null, REPLY, trailers),
        fail: (code, details, metadata) => respond({ code, details, metadata }),
      }),
    clientStream: (call, respond) => {
      call.resume();
      handle({
        kind: 'clientStream',
        call,
        answer: (trailers) => respond(null, REPLY, trailers),
        fail: (code, details, metadata) => respond({ code, details, metadata }),
      });
    },
    serverStream: (call) => handle({ kind: 'serverStream', call, ...streamed(call) }),
    bidi: (call) => {
      call.resume();
      handle({ kind: 'bidi', call, ...streamed(call) });
    },
  };
}

function streamed(
  call: ServerWritableStream<RelayRequest, RelayReply> | ServerDuplexStream<RelayRequest, RelayReply>,
): Pick<ServedCall, 'answer' | 'fail'> {
  return {
    answer: (trailers) => {
      call.write(REPLY);
      call.end(trailers);
    },
    fail: (code, details, metadata) => {
      call.emit('error', { code, details, metadata });
    },
  };
}

/** A call in the promise form: of streams the messages are the result, of the others the one response. */
export type StartedCall = GrpcCall & (PromiseLike<RelayReply> | AsyncIterable<RelayReply>);

/** Starts a call of any kind in the promise form. */
export function start(client: GrpcClient<LeafClient>, kind: CallKind, options: GrpcCallOptions = {}): StartedCall {
  switch (kind) {
    case 'unary':
      return client.unary(REQUEST, options);
    case 'serverStream':
      return client.serverStream(REQUEST, options);
    case 'clientStream':
      return client.clientStream([REQUEST], options);
    case 'bidi':
      return client.bidi([REQUEST], options);
  }
}

/** All messages of a call that succeeds. */
export async function messagesOf(call: StartedCall): Promise<RelayReply[]> {
  if (!(Symbol.asyncIterator in call)) {
    return [await call];
  }
  const messages: RelayReply[] = [];
  for await (const message of call) {
    messages.push(message);
  }
  return messages;
}

/** The error of a call that fails. */
export async function errorOf(call: StartedCall): Promise<ServiceError> {
  let messages: RelayReply[];
  try {
    messages = await messagesOf(call);
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error(`the call succeeded with ${messages.length} message(s)`);
}

/** What a synchronous start throws. */
export function thrownBy(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** The first event of a name, as a promise of its first argument. */
export function first<T = unknown>(emitter: EventEmitter, event: string): Promise<T> {
  return new Promise((resolve) => {
    emitter.once(event, resolve);
  });
}

/** The status of a call in grpc-js's own form. */
export function statusOf(call: EventEmitter): Promise<StatusObject> {
  return first(call, 'status');
}

/** A promise and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Waits until a number has stood still for 20 turns of the event loop, and 50 ms. */
export async function stoodStill(count: () => number): Promise<void> {
  for (let still = 0, last = -1; still < 20; still++) {
    if (count() !== last) {
      [last, still] = [count(), 0];
    }
    await new Promise((resolve) => setTimeout(resolve, still === 19 ? 50 : 0));
  }
}

let cases = 0;

/** The name of a call that no other test of the file has. */
export function caseName(): string {
  return `case ${cases++}`;
}
