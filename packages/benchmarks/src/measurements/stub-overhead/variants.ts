import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { credentials, type ServerInterceptor } from '@grpc/grpc-js';
import { createGrpcClient, type GrpcClient, getGrpcClient } from '@grpc-di/client-factory';
import { callContextInterceptor } from '@grpc-di/server';
import { Container } from 'inversify';
import { KindsClient } from '../../generated/stubs/v1/stubs.js';
import { byHand, type Handle, injected, injectedPromises, type Kind, promisesByHand } from './handlers.js';

/** One of the ways that are compared. */
export interface Variant {
  readonly interceptor: ServerInterceptor | undefined;
  readonly handle: Handle;
}

/** Each is measured against the first of its group that is named in `against`. */
export const variants = {
  'grpc-js': (kind) => ({ interceptor: undefined, handle: byHand(kind, plainClient()) }),
  'grpc-js, promises': (kind) => ({ interceptor: undefined, handle: promisesByHand(kind, plainClient()) }),
  'grpc-js, AsyncLocalStorage': (kind) => inStorage(byHand(kind, plainClient())),
  'grpc-js, promises, AsyncLocalStorage': (kind) => inStorage(promisesByHand(kind, plainClient())),
  'grpc-di': (kind) => ({
    interceptor: callContextInterceptor(),
    handle: injected(kind, injectedClient(true), false),
  }),
  'grpc-di, promises': (kind) => ({
    interceptor: callContextInterceptor(),
    handle: injectedPromises(kind, injectedClient(true), false),
  }),
  'grpc-di, not propagating': (kind) => ({
    interceptor: undefined,
    handle: injected(kind, injectedClient(false), true),
  }),
  'grpc-di, not propagating, promises': (kind) => ({
    interceptor: undefined,
    handle: injectedPromises(kind, injectedClient(false), true),
  }),
} satisfies Record<string, (kind: Kind) => Variant>;

export type VariantName = keyof typeof variants;

function plainClient(): KindsClient {
  return new KindsClient('localhost:1', credentials.createInsecure());
}

function injectedClient(enableCallContextPropagation: boolean): GrpcClient<KindsClient> {
  const container = new Container();
  createGrpcClient(container, KindsClient, { address: 'http://localhost:1', enableCallContextPropagation });
  return getGrpcClient(container, KindsClient);
}

/** What every ambient context costs, before anything is done with it. */
function inStorage(handle: Handle): Variant {
  const storage = new AsyncLocalStorage<object>();
  return {
    interceptor: undefined,
    handle: (deadline, respond) => storage.run({}, handle, deadline, respond),
  };
}
