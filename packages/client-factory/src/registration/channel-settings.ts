import { describeValue } from '@grpc-di/call-context/opener';
import type { Container } from 'inversify';
import { resolveAddress } from '../channel/address.js';
import type { ChannelSettings } from '../channel/managed-channel.js';
import { toServiceConfigOption } from '../channel/service-config.js';
import { naming, type Owner } from './check-client-options.js';
import type { Address, GrpcChannelOptions } from './client-options.js';

/**
 * What a channel is made of.
 *
 * @param example the code that registers the owner with an address.
 * @throws Error or TypeError that names the owner, when it has no address, or one that cannot be used.
 */
export function channelSettings(
  { address, credentials, channelOptions, serviceConfig }: GrpcChannelOptions,
  container: Container,
  owner: Owner,
  example: string,
): ChannelSettings {
  if (address === undefined) {
    throw new Error(`${owner}: it has no address: write ${example}`);
  }
  const resolved = typeof address === 'function' ? callAddressFunction(address, container, owner) : address;
  const options = { ...channelOptions };
  if (serviceConfig !== undefined) {
    options['grpc.service_config'] = toServiceConfigOption(serviceConfig);
  }
  return naming(owner, () => ({ ...resolveAddress(resolved, credentials), options }));
}

function callAddressFunction(address: (container: Container) => Address, container: Container, owner: Owner): Address {
  let resolved: unknown;
  try {
    resolved = address(container);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${owner}: its address function threw: ${message}`, { cause: error });
  }
  if (typeof resolved !== 'string' && !(resolved instanceof URL)) {
    const returned = resolved instanceof Promise ? 'a promise' : describeValue(resolved);
    throw new TypeError(`${owner}: its address function returned ${returned} instead of a gRPC target or a URL`);
  }
  return resolved;
}
