import { credentials } from '@grpc/grpc-js';
import { UsersClient } from '../../../generated/bench/v1/bench.js';
import type { Registry } from './registry.js';

const clients: UsersClient[] = [];

/** The floor: the clients alone, made at once. */
export const registry: Registry = {
  register(addresses) {
    for (const address of addresses) {
      clients.push(new UsersClient(address, credentials.createInsecure()));
    }
  },
  get: (index) => clients[index],
};
