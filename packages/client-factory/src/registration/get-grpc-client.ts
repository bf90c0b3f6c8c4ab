import type { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { GrpcClient, GrpcClientConstructor } from '../call/grpc-client.js';
import { checkContainer } from './check-container.js';
import { registrationsOf } from './class-registrations.js';
import type { ClientRegistration } from './client-registration.js';
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
  checkRegistered(container, client, 'getGrpcClient');
  if (name === undefined) {
    return container.get(client) as GrpcClient<C>;
  }
  const registrations = registrationsOf(container, client);
  if (registrations?.byName.has(name) === false) {
    throw registrations.notRegistered(name);
  }
  return container.get(client, { name }) as GrpcClient<C>;
}

/**
 * The registration behind a class and a name; without a name that of the default one.
 *
 * @throws Error that lists the registered names, when there is none.
 */
export function registrationOf<C extends Client>(
  container: Container,
  client: GrpcClientConstructor<C>,
  name?: string,
): ClientRegistration {
  checkRegistered(container, client, 'createClient');
  const registrations = registrationsOf(container, client);
  if (registrations === undefined) {
    throw new Error(`createClient: what the container has under ${client.name} is no registered gRPC client`);
  }
  const registration = registrations.byName.get(name ?? registrations.kind.serviceName ?? '');
  if (registration === undefined) {
    throw registrations.notRegistered(name ?? String(registrations.kind.serviceName));
  }
  return registration;
}

function checkRegistered(container: Container, client: GrpcClientConstructor<Client>, caller: string): void {
  checkContainer(container, caller);
  if (!container.isBound(client)) {
    const { name: className } = generatedClass(client, caller);
    throw new Error(
      `gRPC client ${className} is not registered: write createGrpcClient(container, ${className}, { address: 'https://...' })`,
    );
  }
}
