import 'reflect-metadata';
import { credentials } from '@grpc/grpc-js';
import { runInCallContext } from '@grpc-di/call-context';
import { createGrpcClient, type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { ChainClient } from '../../generated/bench/v1/bench.js';
import { type Crowd, channelOptions, type OutstandingCalls, type StartCalls, timeoutMs } from './outstanding-calls.js';

type Client = GrpcClient<ChainClient>;

/** Calls of a propagating client with callbacks, in one call context that is cancelled. */
export const startContextCallbacks: StartCalls = (crowd, onEnd) =>
  startInContext(crowd, (client) => client.hold({ id: '' }, onEnd));

/** The same with promises. */
export const startContextPromises: StartCalls = (crowd, onEnd) =>
  startInContext(crowd, (client) => client.hold({ id: '' }).then(() => onEnd(null), onEnd));

async function startInContext(crowd: Crowd, startCall: (client: Client) => unknown): Promise<OutstandingCalls> {
  const container = new Container();
  const clients = Array.from({ length: crowd.connections }, (_, at) => openClient(container, crowd, `${at}`));
  const cancelling = new AbortController();
  let close!: () => void;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  void runInCallContext({ timeoutMs, signal: cancelling.signal }, () => {
    for (const client of clients) {
      for (let i = 0; i < crowd.callsPerConnection; i++) {
        startCall(client);
      }
    }
    return closed;
  });

  return {
    async cancel() {
      const start = performance.now();
      cancelling.abort();
      return { start, end: performance.now() };
    },
    async callOnEach() {
      const options = { enableCallContextPropagation: false } as const;
      await Promise.all(clients.map((client) => client.hold({ id: 'answer' }, options)));
    },
    async close() {
      close();
      await container.get(GrpcClientFactory).close();
    },
  };
}

function openClient(container: Container, { address }: Crowd, name: string): Client {
  createGrpcClient(container, ChainClient, {
    name,
    address,
    credentials: credentials.createInsecure(),
    channelOptions,
    enableCallContextPropagation: true,
  });
  return getGrpcClient(container, ChainClient, name);
}
