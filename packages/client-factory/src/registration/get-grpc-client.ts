import type { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { GrpcClient, GrpcClientConstructor } from '../call/grpc-client.js';
import { checkContainer } from './check-container.js';
import { registrationsOf } from './class-registrations.js';
import { generatedClass } from './generated-class.js';

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
    const { name: className } = generatedClass(client, 'getGrpcClient');
    throw new Error(
      `gRPC client ${className} is not registered: write createGrpcClient(container, ${className}, { address: 'https://...' })`,
    );
  }
  if (name === undefined) {
    return container.get(client) as GrpcClient<C>;
  }
  const registrations = registrationsOf(container, client);
  if (registrations?.byName.has(name) === false) {
    throw registrations.notRegistered(name);
  }
  return container.get(client, { name }) as GrpcClient<C>;
}
