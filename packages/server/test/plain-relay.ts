import { EventEmitter, on } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  type Metadata,
  type ServerInterceptor,
  type ServerUnaryCall,
  type StatusObject,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { bindCallContext } from '@grpc-di/call-context';
import { currentServerCallContext, type ServerCallContext } from '@grpc-di/server';
import {
  type CallKind,
  type RelayClient,
  type RelayReply,
  type RelayServer,
  RelayService,
  type RunningServer,
  startServer,
} from '@grpc-di/test-rig';
import { BareClients } from './bare-client.js';

export const REPLY: RelayReply = { id: 'reply', text: '', deadline: 0 };

/** What grpc-js's calls of all kinds have in common. */
type GrpcCall = EventEmitter &
  Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'sendMetadata' | 'getDeadline' | 'getHost' | 'getPeer'>;

/** What a plain grpc-js handler got, whatever its kind. */
export interface ServedCall {
  readonly kind: CallKind;
  readonly grpc: GrpcCall;
  /** The same, of streaming kinds only. */
  readonly stream: Duplex;
  /** Runs `fn` as if the handler did. */
  readonly runInHandler: <T>(fn: () => T) => T;
  /** As the handler found it when it was called. */
  readonly context: ServerCallContext;
  /** Ends the call with success and one reply. */
  readonly succeed: (trailers?: Metadata) => void;
  /** Ends the call with an error. */
  readonly fail: (error: Partial<StatusObject>) => void;
}

export interface PlainRelay extends RunningServer {
  /** A bare client on a connection of its own. */
  readonly client: RelayClient;
  /** Another one, of this address: a proxy's. */
  connect(address: string): Promise<RelayClient>;
  /** The next call that reached a handler, in the order of their arrival. */
  nextCall(): Promise<ServedCall>;
}

/** A server with plain handlers, which leave the call to `handle`, or to the test. */
export async function startPlainRelay(
  interceptors: ServerInterceptor[],
  handle: (call: ServedCall) => void = () => {},
): Promise<PlainRelay> {
  const events = new EventEmitter();
  const arrivals = on(events, 'call');
  const arrive = (kind: CallKind, grpc: GrpcCall, answer: Pick<ServedCall, 'succeed' | 'fail'>): void => {
    const runInHandler = bindCallContext(<T>(fn: () => T): T => fn());
    const served: ServedCall = {
      kind,
      grpc,
      stream: grpc as unknown as Duplex,
      runInHandler,
      context: currentServerCallContext()!,
      ...answer,
    };
    events.emit('call', served);
    handle(served);
  };
  const handlers: RelayServer = {
    unary: (call, respond) => arrive('unary', call, singleAnswer(respond)),
    serverStream: (call) => arrive('serverStream', call, streamedAnswer(call)),
    clientStream: (call, respond) => arrive('clientStream', call, singleAnswer(respond)),
    bidi: (call) => arrive('bidi', call, streamedAnswer(call)),
  };
  const running = await startServer((server) => server.addService(RelayService, handlers), { interceptors });
  const clients = new BareClients();
  return {
    ...running,
    client: await clients.connect(running.address),
    connect: (address) => clients.connect(address),
    async nextCall() {
      return ((await arrivals.next()).value as [ServedCall])[0];
    },
    async [Symbol.asyncDispose]() {
      clients.close();
      await running[Symbol.asyncDispose]();
    },
  };
}

function singleAnswer(respond: sendUnaryData<RelayReply>): Pick<ServedCall, 'succeed' | 'fail'> {
  return {
    succeed: (trailers) => respond(null, REPLY, trailers),
    fail: (error) => respond(error),
  };
}

function streamedAnswer(call: {
  write(reply: RelayReply): boolean;
  end(trailers?: Metadata): void;
  emit(event: 'error', error: Partial<StatusObject>): boolean;
}): Pick<ServedCall, 'succeed' | 'fail'> {
  return {
    succeed(trailers) {
      call.write(REPLY);
      call.end(trailers);
    },
    fail(error) {
      call.emit('error', error);
    },
  };
}
