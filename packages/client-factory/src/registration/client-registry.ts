import { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import { type InjectedClientClass, injectedClientClass } from '../call/client-class.js';
import type { GrpcClientConstructor } from '../call/grpc-client.js';
import { type Rpc, rpcsOf, serviceNameOf } from '../call/rpcs.js';
import { ClassRegistrations } from './class-registrations.js';
import { checkClientOptions, type GrpcClientOptions, mergeClientOptions } from './client-options.js';
import { ClientRegistration } from './client-registration.js';

/** All clients that are registered in one container. */
export class ClientRegistry {
  private readonly classes = new Map<GrpcClientConstructor<Client>, ClassRegistrations>();

  constructor(private readonly container: Container) {}

  /**
   * Registers a client, or merges the options into an earlier registration of the same class and name.
   *
   * @throws TypeError or Error, before anything is changed, for what is no client class, invalid options, a name that
   * another class has, and a client that was already used.
   */
  register(client: GrpcClientConstructor<Client>, options: GrpcClientOptions): void {
    const generated = generatedClass(client);
    const name = options.name ?? generated.serviceName;
    checkClientOptions(options, name ?? client.name);
    if (name === undefined) {
      throw new Error(`gRPC client ${client.name} has no rpc to take a name from: register it with a name`);
    }
    this.checkNameIsFree(name, client);
    const earlier = this.registrationsOf(client)?.byName.get(name);
    if (earlier?.isUsed) {
      throw new Error(
        `gRPC client '${name}' was already used, and cannot be registered again: register all clients before the first is resolved`,
      );
    }
    const merged = mergeClientOptions(earlier?.options ?? {}, options);
    checkClientOptions(merged, name);
    const registrations = this.registrationsOf(client) ?? this.addClass(client, generated.serviceName);
    if (earlier === undefined) {
      registrations.byName.set(name, new ClientRegistration(name, merged, this.container, generated.InjectedClient));
    } else {
      earlier.options = merged;
    }
    registrations.bindClients();
  }

  /** Every registration that the container still holds. */
  *all(): Iterable<ClientRegistration> {
    for (const client of this.classes.keys()) {
      yield* this.registrationsOf(client)?.byName.values() ?? [];
    }
  }

  private registrationsOf(client: GrpcClientConstructor<Client>): ClassRegistrations | undefined {
    const registrations = this.classes.get(client);
    return registrations === undefined || registrations.isUnbound || !this.container.isCurrentBound(client)
      ? undefined
      : registrations;
  }

  private addClass(client: GrpcClientConstructor<Client>, serviceName: string | undefined): ClassRegistrations {
    const registrations = new ClassRegistrations(this.container, client, serviceName, client.name);
    this.classes.set(client, registrations);
    return registrations;
  }

  private checkNameIsFree(name: string, client: GrpcClientConstructor<Client>): void {
    for (const other of this.classes.keys()) {
      if (other !== client && this.registrationsOf(other)?.byName.has(name)) {
        throw new Error(
          `gRPC client '${name}' is already registered with another class (${other.name}): give one of the two a name of its own, ` +
            `createGrpcClient(container, ${client.name}, { name: '...' })`,
        );
      }
    }
  }
}

/** What is worked out once for a generated class, for all containers. */
interface GeneratedClass {
  readonly serviceName: string | undefined;
  readonly InjectedClient: InjectedClientClass<Client>;
}

const generatedClasses = new WeakMap<GrpcClientConstructor<Client>, GeneratedClass>();

function generatedClass(client: GrpcClientConstructor<Client>): GeneratedClass {
  let generated = generatedClasses.get(client);
  if (generated === undefined) {
    checkClientClass(client);
    const rpcs: readonly Rpc[] = rpcsOf(client);
    generated = { serviceName: serviceNameOf(rpcs), InjectedClient: injectedClientClass(client, rpcs) };
    generatedClasses.set(client, generated);
  }
  return generated;
}

function checkClientClass(client: unknown): void {
  if (typeof client !== 'function' || !(client.prototype instanceof Client)) {
    throw new TypeError(
      `createGrpcClient: ${typeof client === 'function' ? client.name || 'the function' : String(client)} is no generated gRPC ` +
        'client class: pass one that extends Client of this very @grpc/grpc-js, such as the UsersClient that ts-proto ' +
        'generates (outputServices=grpc-js)',
    );
  }
}
