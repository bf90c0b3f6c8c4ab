import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import type { INestApplicationContext } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpc, ClientsModule, Transport } from '@nestjs/microservices';
import type { Registry } from './registry.js';

const protoPath = fileURLToPath(new URL('../../../../proto/bench/v1/bench.proto', import.meta.url));

@Module({})
class ClientsOfUsers {}

let app: INestApplicationContext;

/** One `ClientsModule.register()` of all, and the start of the application. Each client loads its .proto itself. */
export const registry: Registry = {
  async register(addresses) {
    const clients = addresses.map((url, index) => ({
      name: `users-${index}`,
      transport: Transport.GRPC as const,
      options: { package: 'bench.v1', protoPath, url },
    }));
    const module = { module: ClientsOfUsers, imports: [ClientsModule.register(clients)] };
    app = await NestFactory.createApplicationContext(module, { logger: false });
  },
  get: (index) => app.get<ClientGrpc>(`users-${index}`, { strict: false }).getService('Users'),
};
