import type { Channel, Client } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { Container, ContainerModule, type ServiceIdentifier } from 'inversify';
import type { GrpcClientConstructor } from '../call/grpc-client.js';
import type { GrpcClientOptions } from './client-options.js';
import { ClientRegistry, registryOf } from './client-registry.js';
import { createGrpcClient, registerClient } from './create-grpc-client.js';
import { ModuleContainer } from './module-container.js';

/** `createGrpcClient` without the container. */
export interface AddGrpcClient {
  (client: GrpcClientConstructor<Client>, options?: GrpcClientOptions): void;
  <T extends object>(
    identifier: ServiceIdentifier<T>,
    options: GrpcClientOptions & { name: string; createClient: (channel: Channel, container: Container) => NoInfer<T> },
  ): void;
}

/**
 * Clients as a module of inversify, for apps that are composed of modules: unloading it closes their channels, and
 * loading it again registers them anew. `configure` runs at each loading.
 *
 * A class is registered by one module of a container, or by `createGrpcClient`, and not by two. The container that
 * functions of the options get resolves only while they run.
 *
 * @example
 * await container.load(grpcClientModule((add) => add(UsersClient, { address: 'https://users:50051' })));
 *
 * @throws TypeError or Error at the loading, before anything is bound, as `createGrpcClient` does.
 */
export function grpcClientModule(configure: (add: AddGrpcClient) => void): ContainerModule {
  if (typeof configure !== 'function') {
    throw new TypeError(
      `grpcClientModule: configure must be a function such as (add) => add(UsersClient, { ... }), not ${describeValue(configure)}`,
    );
  }
  return new ContainerModule((module) => {
    const { added, rehearsed } = rehearse(configure);
    const container = new ModuleContainer(module);
    const registry = new ClientRegistry(container as unknown as Container);
    registry.bind();
    try {
      registry.checkFree(rehearsed);
    } catch (error) {
      registry.unbind();
      container.unbind(container.resolverIdentifier);
      throw error;
    }
    for (const [client, options] of added) {
      registerClient(registry, client, options);
    }
  });
}

type Added = [client: ServiceIdentifier, options: GrpcClientOptions];

/** All that can be wrong with clients and options shows in a container of their own. */
function rehearse(configure: (add: AddGrpcClient) => void): { added: Added[]; rehearsed: ClientRegistry } {
  const added: Added[] = [];
  const container = new Container();
  configure((client: ServiceIdentifier, options: GrpcClientOptions = {}): void => {
    createGrpcClient(container, client as GrpcClientConstructor<Client>, options);
    added.push([client, options]);
  });
  return { added, rehearsed: registryOf(container) };
}
