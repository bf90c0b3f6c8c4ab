import { Client } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { injectedClientClass } from '../call/client-class.js';
import type { GrpcClientConstructor } from '../call/grpc-client.js';
import { type Rpc, rpcsOf, serviceNameOf } from '../call/rpcs.js';
import type { ClientKind } from './client-kind.js';

const generatedClasses = new WeakMap<GrpcClientConstructor<Client>, ClientKind>();

/** What is worked out once for a generated class, for all containers. @throws TypeError that names the caller, for what is none. */
export function generatedClass(client: GrpcClientConstructor<Client>, caller: string): ClientKind {
  let kind = generatedClasses.get(client);
  if (kind === undefined) {
    checkClientClass(client, caller);
    const rpcs: readonly Rpc[] = rpcsOf(client);
    const serviceName = serviceNameOf(rpcs);
    const InjectedClient = injectedClientClass(client, rpcs);
    kind = {
      name: classNameOf(client, serviceName),
      serviceName,
      rpcs,
      Class: client,
      create: (channel, defaults) => new InjectedClient(channel, defaults),
    };
    generatedClasses.set(client, kind);
  }
  return kind;
}

export function isGeneratedClass(client: unknown): client is GrpcClientConstructor<Client> {
  return typeof client === 'function' && client.prototype instanceof Client;
}

/** grpc-js calls every class that it makes, for all generators but protobuf-ts, `ServiceClientImpl`. */
function classNameOf(client: GrpcClientConstructor<Client>, serviceName: string | undefined): string {
  return client.name === 'ServiceClientImpl' && serviceName !== undefined
    ? `${serviceName.slice(serviceName.lastIndexOf('.') + 1)}Client`
    : client.name;
}

function checkClientClass(client: unknown, caller: string): void {
  if (!isGeneratedClass(client)) {
    throw new TypeError(
      `${caller}: ${describeValue(client)} is no generated gRPC client class: pass one that extends Client of this very ` +
        '@grpc/grpc-js, such as the UsersClient that ts-proto generates (outputServices=grpc-js)',
    );
  }
}
