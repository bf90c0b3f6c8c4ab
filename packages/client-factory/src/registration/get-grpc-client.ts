import type { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { GrpcClient, GrpcClientConstructor } from '../call/grpc-client.js';
import { checkContainer } from './check-container.js';
import { registrationsOf } from './class-registrations.js';
import type { GrpcClientOverrides } from './client-overrides.js';
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
 * The same, on a channel of its own.
 *
 * @throws Error that lists the registered names, when the class is not registered under this one; for overrides that
 * cannot be used.
 */
export function getOverriddenClient<C extends Client>(
  container: Container,
  client: GrpcClientConstructor<C>,
  name: string | undefined,
  overrides: GrpcClientOverrides,
): GrpcClient<C> {
  checkRegistered(container, client, 'createClient');
  const registrations = registrationsOf(container, client);
  if (registrations === undefined) {
    throw new Error(`createClient: what the container has under ${client.name} is no registered gRPC client`);
  }
  const asked = name ?? registrations.defaultName;
  const registration = asked === undefined ? undefined : registrations.byName.get(asked);
  if (registration === undefined) {
    throw asked === undefined ? registrations.noDefaultName() : registrations.notRegistered(asked);
  }
  return registration.createClientFor(overrides, () =>
    registrations.partsFor(registration.name, container),
  ) as GrpcClient<C>;
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
