import 'reflect-metadata';
import type { ServerInterceptor, ServiceDefinition } from '@grpc/grpc-js';
import {
  addGrpcService,
  callContextInterceptor,
  type GrpcService,
  type GrpcServiceOptions,
  type ServerCallContext,
} from '@grpc-di/server';
import {
  type CallKind,
  type RelayClient,
  type RelayReply,
  RelayReply as RelayReplyMessage,
  type RelayRequest,
  type RelayServer,
  RelayService,
  type RunningServer,
  startServer,
} from '@grpc-di/test-rig';
import { Container, type Newable } from 'inversify';
import { BareClients } from './bare-client.js';

/** What every test of a hosted service is run with: the context comes from the interceptor, or from the host itself. */
export const WITH_AND_WITHOUT_INTERCEPTOR: [string, () => ServerInterceptor[]][] = [
  ['with callContextInterceptor()', () => [callContextInterceptor()]],
  ['without an interceptor', () => []],
];

export interface HostedRelay extends RunningServer {
  /** A bare client on a connection of its own. */
  readonly client: RelayClient;
  /** Another one, of this address: a proxy's. */
  connect(address: string): Promise<RelayClient>;
}

export interface HostedRelayOptions extends GrpcServiceOptions {
  interceptors?: ServerInterceptor[];
  container?: Container;
  service?: ServiceDefinition;
}

export async function startHostedRelay(
  implementation: Newable<object>,
  { interceptors = [], container = new Container(), service = RelayService, ...options }: HostedRelayOptions = {},
): Promise<HostedRelay> {
  const running = await startServer((server) => addGrpcService(server, container, service, implementation, options), {
    interceptors,
  });
  const clients = new BareClients();
  return {
    ...running,
    client: await clients.connect(running.address),
    connect: (address) => clients.connect(address),
    async [Symbol.asyncDispose]() {
      clients.close();
      await running[Symbol.asyncDispose]();
    },
  };
}

export interface HostedCall {
  readonly kind: CallKind;
  readonly requests: AsyncIterable<RelayRequest>;
  readonly context: ServerCallContext;
}

/** A service whose four methods do the same; a single response is the last that `run` yields. */
export function relayOf(run: (call: HostedCall) => AsyncIterable<RelayReply>): Newable<object> {
  return class Relay implements GrpcService<RelayServer> {
    unary(request: RelayRequest, context: ServerCallContext): Promise<RelayReply> {
      return last(run({ kind: 'unary', requests: only(request), context }));
    }

    serverStream(request: RelayRequest, context: ServerCallContext): AsyncIterable<RelayReply> {
      return run({ kind: 'serverStream', requests: only(request), context });
    }

    clientStream(requests: AsyncIterable<RelayRequest>, context: ServerCallContext): Promise<RelayReply> {
      return last(run({ kind: 'clientStream', requests, context }));
    }

    bidi(requests: AsyncIterable<RelayRequest>, context: ServerCallContext): AsyncIterable<RelayReply> {
      return run({ kind: 'bidi', requests, context });
    }
  };
}

/** A service whose methods all throw `error`, after some messages where it is a stream. */
export function failing(error: unknown, messagesBefore = 0): Newable<object> {
  return relayOf(async function* () {
    for (let i = 0; i < messagesBefore; i++) {
      yield reply(i);
    }
    throw error;
  });
}

export function reply(text: string | number = ''): RelayReply {
  return RelayReplyMessage.fromPartial({ text: String(text) });
}

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}

async function last<T>(values: AsyncIterable<T>): Promise<T> {
  let value: T | undefined;
  for await (value of values);
  return value!;
}
