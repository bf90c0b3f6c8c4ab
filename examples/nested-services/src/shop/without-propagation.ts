import type { Client } from '@grpc/grpc-js';
import { createGrpcClient, type GrpcClientConstructor } from '@grpc-di/client-factory';
import type { Container } from 'inversify';

/**
 * For the other half of the scenario `no-propagation`. Registering a client again changes what is named here; its
 * address and the trace id that it passes on stay.
 */
export function withoutPropagation(container: Container, ...clients: GrpcClientConstructor<Client>[]): void {
  for (const client of clients) {
    createGrpcClient(container, client, { enableCallContextPropagation: { deadline: false, cancellation: false } });
  }
}
