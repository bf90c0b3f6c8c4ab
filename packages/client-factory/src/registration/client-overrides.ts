import type { ChannelCredentials } from '@grpc/grpc-js';
import { checkClientOptions, type Owner } from './check-client-options.js';
import type { Address } from './client-options.js';

/** What one created client has instead of its registration's options. */
export interface GrpcClientOverrides {
  /** Where the service is, for a tenant or a region. */
  address?: Address;
  credentials?: ChannelCredentials;
}

/** @throws TypeError or Error that names the owner. */
export function checkOverrides(overrides: GrpcClientOverrides, owner: Owner): void {
  checkClientOptions(overrides, owner);
  const other = Object.keys(overrides).find((name) => name !== 'address' && name !== 'credentials');
  if (other !== undefined || typeof overrides.address === 'function') {
    throw new TypeError(
      `${owner}: one created client can have an address and credentials of its own, and no ` +
        `${other ?? 'function as its address'}`,
    );
  }
}

/** Such as the address of a tenant that has none of its own. */
export function overridesNothing({ address, credentials }: GrpcClientOverrides): boolean {
  return address === undefined && credentials === undefined;
}

/** Equal addresses with the same credentials object share a channel. */
export function keyOf({ address, credentials }: GrpcClientOverrides): string {
  return `${numberOf(credentials)} ${address === undefined ? '' : String(address)}`;
}

const numbers = new WeakMap<ChannelCredentials, number>();
let lastNumber = 0;

function numberOf(credentials: ChannelCredentials | undefined): number {
  if (credentials === undefined) {
    return 0;
  }
  let number = numbers.get(credentials);
  if (number === undefined) {
    number = ++lastNumber;
    numbers.set(credentials, number);
  }
  return number;
}
