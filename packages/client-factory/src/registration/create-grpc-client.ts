import type { Channel, Client } from '@grpc/grpc-js';
import type { Container, ServiceIdentifier } from 'inversify';
import type { GrpcClientConstructor } from '../call/grpc-client.js';
import { checkContainer } from './check-container.js';
import type { GrpcClientOptions } from './client-options.js';
import { type ClientRegistry, registryOf } from './client-registry.js';
import { checkIdentifier, customClient } from './custom-client.js';
import { generatedClass, isGeneratedClass } from './generated-class.js';

/**
 * Registers a typed client in the container. The generated client class is the service identifier: what gets injected
 * for it is an instance of the class whose methods also work without a callback, on a channel that all of the
 * registration's objects share. The channel opens with the first call, and closes when the class is unbound or the
 * `GrpcClientFactory` is closed.
 *
 * Registering a client again merges the options: keys that the second does not name stay, the others take the last
 * write; channel options, metadata and methods merge key by key, lists append.
 *
 * @example
 * createGrpcClient(container, UsersClient, { address: 'https://users:50051', enableCallContextPropagation: true });
 *
 * @throws TypeError or Error, before anything is changed, for a class that is no gRPC client, invalid options, a name
 * that another class has, and a client that was already used.
 */
export function createGrpcClient<C extends Client>(
  container: Container,
  client: GrpcClientConstructor<C>,
  options?: GrpcClientOptions,
): void;
/**
 * The same for an object that is no generated client, under any service identifier. Bare injection of that means the
 * client as long as it is registered under one name.
 *
 * @param options.createClient makes the object, on a channel that brings the other options to every call.
 * @example
 * createGrpcClient(container, HealthProbe, {
 *   name: 'health',
 *   address: 'https://users:50051',
 *   createClient: (channel) => new HealthProbe(channel),
 * });
 */
export function createGrpcClient<T extends object>(
  container: Container,
  identifier: ServiceIdentifier<T>,
  options: GrpcClientOptions & { name: string; createClient: (channel: Channel, container: Container) => NoInfer<T> },
): void;
export function createGrpcClient(
  container: Container,
  client: ServiceIdentifier,
  options: GrpcClientOptions = {},
): void {
  checkContainer(container, 'createGrpcClient');
  registerClient(registryOf(container), client, options);
}

/** @throws as {@link createGrpcClient} does. */
export function registerClient(registry: ClientRegistry, client: ServiceIdentifier, options: GrpcClientOptions): void {
  if (isGeneratedClass(client) || options?.createClient === undefined) {
    registry.register(client, generatedClass(client as never, 'createGrpcClient'), options);
  } else {
    checkIdentifier(client);
    registry.register(client, customClient(client), options);
  }
}
