import type { Channel, ChannelInterface, Interceptor } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcChannel,
  createGrpcClient,
  type GrpcInterceptor,
  grpcClientModule,
  withCallContextPropagation,
} from '@grpc-di/client-factory';
import { LeafClient } from '@grpc-di/test-rig';
import type { Container, ServiceIdentifier } from 'inversify';
import { accept } from './expect-type.js';

// What registrations take and refuse; tsc is the test, and nothing runs this.

declare const container: Container;
declare const intercept: Interceptor;

class Facade {
  constructor(readonly channel: Channel) {}
}
class Tracing implements GrpcInterceptor {
  readonly intercept = intercept;
}
class Tokens {
  async getMetadata({ signal, deadline }: { signal: AbortSignal; deadline: number }): Promise<Record<string, string>> {
    return { authorization: `${signal.aborted} ${deadline}` };
  }
}
const FACADE: ServiceIdentifier<Facade> = Symbol('Facade');

export function clients(): void {
  createGrpcClient(container, LeafClient);
  createGrpcClient(container, LeafClient, {
    interceptors: [
      intercept,
      { interceptor: intercept },
      { interceptor: Tracing, scope: 'client' },
      { interceptor: 'tracing' },
    ],
    callCredentials: [Tokens, 'tokens', async ({ method }) => ({ authorization: method })],
    methods: { unary: { timeoutMs: 500, waitForReady: true } },
  });
  // @ts-expect-error no class of interceptors
  createGrpcClient(container, LeafClient, { interceptors: [{ interceptor: Facade }] });
  // @ts-expect-error a class stands behind `interceptor`
  createGrpcClient(container, LeafClient, { interceptors: [Tracing] });
  // @ts-expect-error no such scope
  createGrpcClient(container, LeafClient, { interceptors: [{ interceptor: Tracing, scope: 'request' }] });
  // @ts-expect-error no source of credentials
  createGrpcClient(container, LeafClient, { callCredentials: [Facade] });
  // @ts-expect-error misspelt
  createGrpcClient(container, LeafClient, { methods: { unary: { timeout: 500 } } });
}

export function customClients(): void {
  createGrpcClient(container, Facade, { name: 'facade', createClient: (channel) => new Facade(channel) });
  createGrpcClient(container, FACADE, { name: 'facade', createClient: (channel) => new Facade(channel) });
  createGrpcClient<Facade>(container, 'facade', { name: 'facade', createClient: (channel) => new Facade(channel) });
  // @ts-expect-error nothing to take a name from
  createGrpcClient(container, Facade, { createClient: (channel) => new Facade(channel) });
  // @ts-expect-error nothing that makes it
  createGrpcClient(container, Facade, { name: 'facade' });
  // @ts-expect-error another object
  createGrpcClient(container, FACADE, { name: 'facade', createClient: () => ({}) });
}

export function defaultsAndChannels(): void {
  configureGrpcClientDefaults(container, { timeoutMs: 5_000, interceptors: [intercept] });
  createGrpcChannel(container, 'backend', { address: 'https://backend:50051' });
  createGrpcClient(container, LeafClient, { channel: 'backend' });
  // @ts-expect-error of clients alone
  createGrpcChannel(container, 'backend', { address: 'https://backend:50051', timeoutMs: 5_000 });
}

export function modules(): void {
  grpcClientModule((add) => {
    add(LeafClient, { address: 'https://leaf:50051' });
    add(Facade, { name: 'facade', createClient: (channel) => new Facade(channel) });
    // @ts-expect-error no client
    add(Facade);
  });
}

export function propagating(client: LeafClient, channel: Channel): void {
  accept<LeafClient>(withCallContextPropagation(client, { metadata: ['x-request-id'] }));
  accept<ChannelInterface>(withCallContextPropagation(channel));
  // @ts-expect-error neither client nor channel
  withCallContextPropagation({});
}
