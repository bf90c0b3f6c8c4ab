import type { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { GrpcClient, GrpcClientConstructor } from '../call/grpc-client.js';
import { checkContainer } from './check-container.js';
import { registrationsOf } from './class-registrations.js';
import type { GrpcClientOverrides } from './client-overrides.js';
import { generatedClass } from './generated-class.js';
import type { Resolver } from './module-container.js';

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
  return resolveClient(container, client, name, 'getGrpcClient');
}

/** The same for whatever resolves. */
export function resolveClient<C extends Client>(
  resolver: Resolver,
  client: GrpcClientConstructor<C>,
  name: string | undefined,
  caller: string,
): GrpcClient<C> {
  if (name !== undefined) {
    const registrations = registrationsOf(resolver, client);
    if (registrations?.byName.has(name) === false) {
      throw registrations.notRegistered(name);
    }
  }
  const found = resolver.get(client, name === undefined ? { optional: true } : { name, optional: true });
  if (found === undefined) {
    throw notRegistered(client, caller);
  }
  return found as GrpcClient<C>;
}

/**
 * The same, on a channel of its own.
 *
 * @throws Error that lists the registered names, when the class is not registered under this one; for overrides that
 * cannot be used.
 */
export function resolveOverriddenClient<C extends Client>(
  resolver: Resolver,
  client: GrpcClientConstructor<C>,
  name: string | undefined,
  overrides: GrpcClientOverrides,
): GrpcClient<C> {
  const registrations = registrationsOf(resolver, client);
  if (registrations === undefined) {
    throw notRegistered(client, 'createClient');
  }
  const asked = name ?? registrations.defaultName;
  const registration = asked === undefined ? undefined : registrations.byName.get(asked);
  if (registration === undefined) {
    throw asked === undefined ? registrations.noDefaultName() : registrations.notRegistered(asked);
  }
  return registration.createClientFor(overrides, () => registrations.partsFor(registration, resolver)) as GrpcClient<C>;
}

function notRegistered(client: GrpcClientConstructor<Client>, caller: string): Error {
  const { name } = generatedClass(client, caller);
  return new Error(
    `gRPC client ${name} is not registered: write createGrpcClient(container, ${name}, { address: 'https://...' })`,
  );
}
