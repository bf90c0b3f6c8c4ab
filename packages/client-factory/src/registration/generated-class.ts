import { Client } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { type InjectedClientClass, injectedClientClass } from '../call/client-class.js';
import type { GrpcClientConstructor } from '../call/grpc-client.js';
import { type Rpc, rpcsOf, serviceNameOf } from '../call/rpcs.js';

/** What is worked out once for a generated class, for all containers. */
export interface GeneratedClass {
  /** What messages call the class. */
  readonly name: string;
  /** The protobuf service's full name; `undefined` for a class without rpcs. */
  readonly serviceName: string | undefined;
  readonly InjectedClient: InjectedClientClass<Client>;
}

const generatedClasses = new WeakMap<GrpcClientConstructor<Client>, GeneratedClass>();

/** @throws TypeError that names the caller, for what is no generated client class. */
export function generatedClass(client: GrpcClientConstructor<Client>, caller: string): GeneratedClass {
  let generated = generatedClasses.get(client);
  if (generated === undefined) {
    checkClientClass(client, caller);
    const rpcs: readonly Rpc[] = rpcsOf(client);
    const serviceName = serviceNameOf(rpcs);
    generated = {
      name: classNameOf(client, serviceName),
      serviceName,
      InjectedClient: injectedClientClass(client, rpcs),
    };
    generatedClasses.set(client, generated);
  }
  return generated;
}

/** grpc-js calls every class that it makes, for all generators but protobuf-ts, `ServiceClientImpl`. */
function classNameOf(client: GrpcClientConstructor<Client>, serviceName: string | undefined): string {
  return client.name === 'ServiceClientImpl' && serviceName !== undefined
    ? `${serviceName.slice(serviceName.lastIndexOf('.') + 1)}Client`
    : client.name;
}

function checkClientClass(client: unknown, caller: string): void {
  if (typeof client !== 'function' || !(client.prototype instanceof Client)) {
    throw new TypeError(
      `${caller}: ${describeValue(client)} is no generated gRPC client class: pass one that extends Client of this very ` +
        '@grpc/grpc-js, such as the UsersClient that ts-proto generates (outputServices=grpc-js)',
    );
  }
}
