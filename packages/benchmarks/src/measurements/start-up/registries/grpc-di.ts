import 'reflect-metadata';
import { credentials } from '@grpc/grpc-js';
import { createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { UsersClient } from '../../../generated/bench/v1/bench.js';
import type { Registry } from './registry.js';

const container = new Container();

export const registry: Registry = {
  register(addresses) {
    for (const [index, address] of addresses.entries()) {
      createGrpcClient(container, UsersClient, {
        name: `users-${index}`,
        address,
        credentials: credentials.createInsecure(),
        enableCallContextPropagation: true,
      });
    }
  },
  get: (index) => container.get(UsersClient, { name: `users-${index}` }),
};
