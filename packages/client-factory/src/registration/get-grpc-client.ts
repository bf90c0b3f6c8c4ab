import type { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { GrpcClient, GrpcClientConstructor } from '../call/grpc-client.js';
import { checkContainer } from './check-container.js';
import { registrationsOf } from './class-registrations.js';

/**
 * The typed `container.get`.
 *
 * @throws Error that lists the registered names, when the class is not registered under this one.
 */
export function getGrpcClient<C extends Client>(
  container: Container,
  client: GrpcClientConstructor<C>,
  name?: string,
): GrpcClient<C> {
  checkContainer(container, 'getGrpcClient');
  if (!container.isBound(client)) {
    throw new Error(
      `gRPC client ${client.name} is not registered: write createGrpcClient(container, ${client.name}, { address: 'https://...' })`,
    );
  }
  const registrations = registrationsOf(container, client);
  if (name !== undefined && registrations?.byName.has(name) === false) {
    throw registrations.notRegistered(name);
  }
  return container.get(client, name === undefined ? undefined : { name }) as GrpcClient<C>;
}
