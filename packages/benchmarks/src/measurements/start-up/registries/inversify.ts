import 'reflect-metadata';
import { credentials } from '@grpc/grpc-js';
import { Container } from 'inversify';
import { UsersClient } from '../../../generated/bench/v1/bench.js';
import type { Registry } from './registry.js';

const container = new Container();

/** The floor of a container: plain named bindings, a client is made when it is first asked for. */
export const registry: Registry = {
  register(addresses) {
    for (const [index, address] of addresses.entries()) {
      container
        .bind(UsersClient)
        .toDynamicValue(() => new UsersClient(address, credentials.createInsecure()))
        .inSingletonScope()
        .whenNamed(`users-${index}`);
    }
  },
  get: (index) => container.get(UsersClient, { name: `users-${index}` }),
};
