import { describeValue } from '@grpc-di/call-context/opener';
import type { Container } from 'inversify';
import { ChannelRegistration, ownChannelsOf } from './channel-registration.js';
import { checkChannelOptions } from './check-client-options.js';
import { checkContainer } from './check-container.js';
import { type GrpcChannelOptions, mergeClientOptions } from './client-options.js';
import { registryOf } from './client-registry.js';

/**
 * Registers a channel that clients share: those that name it in their option `channel`, in this container and its
 * children. It opens with the first call, and closes when the `GrpcClientFactory` is closed or the container unbinds all.
 *
 * Registering a channel again merges the options, as with clients.
 *
 * @example
 * createGrpcChannel(container, 'backend', { address: 'https://backend:50051' });
 * createGrpcClient(container, UsersClient, { channel: 'backend' });
 * createGrpcClient(container, HealthClient, { channel: 'backend' });
 *
 * @throws TypeError or Error, before anything is changed, for invalid options, and for a channel that was already used.
 */
export function createGrpcChannel(container: Container, name: string, options: GrpcChannelOptions): void {
  checkContainer(container, 'createGrpcChannel');
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`createGrpcChannel: name must be a string that is not empty, not ${describeValue(name)}`);
  }
  const owner = `gRPC channel '${name}'`;
  checkChannelOptions(options, owner);
  const earlier = ownChannelsOf(container).find((channel) => channel.name === name);
  if (earlier?.channel.isInUse) {
    throw new Error(
      `${owner} was already used, and cannot be registered again: register all channels before the first client is resolved`,
    );
  }
  const merged = mergeClientOptions(earlier?.options ?? {}, options);
  checkChannelOptions(merged, owner);
  registryOf(container).bind();
  earlier?.unbind();
  new ChannelRegistration(name, container, merged);
}
