import type { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { GrpcClientConstructor } from '../call/grpc-client.js';
import { checkContainer } from './check-container.js';
import type { GrpcClientOptions } from './client-options.js';
import { ClientRegistry } from './client-registry.js';
import { ContainerGrpcClientFactory, GrpcClientFactory } from './grpc-client-factory.js';

const registryIdentifier = Symbol('grpc-di client registry');

/**
 * Registers a typed client in the container. The generated client class is the service identifier: what gets injected
 * for it is an instance of the class whose methods also work without a callback, on a channel that all of the
 * registration's objects share. The channel opens with the first call, and closes when the class is unbound or the
 * `GrpcClientFactory` is closed.
 *
 * Registering a client again merges the options: keys that the second does not name stay, the others take the last
 * write; channel options and metadata merge key by key.
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
  options: GrpcClientOptions = {},
): void {
  checkContainer(container, 'createGrpcClient');
  // The registry of this very container: a parent's has clients of its own.
  if (container.isCurrentBound(registryIdentifier)) {
    container.get<ClientRegistry>(registryIdentifier).register(client, options);
    return;
  }
  const registry = new ClientRegistry(container);
  registry.register(client, options);
  container.bind(registryIdentifier).toConstantValue(registry);
  container.bind(GrpcClientFactory).toConstantValue(new ContainerGrpcClientFactory(container, registry));
}
