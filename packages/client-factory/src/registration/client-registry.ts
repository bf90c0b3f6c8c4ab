import type { Client } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { GrpcClientConstructor } from '../call/grpc-client.js';
import { ClassRegistrations } from './class-registrations.js';
import { checkClientOptions, type GrpcClientOptions, mergeClientOptions } from './client-options.js';
import { ClientRegistration } from './client-registration.js';
import { type GeneratedClass, generatedClass } from './generated-class.js';

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
    const generated = generatedClass(client, 'createGrpcClient');
    const name = options?.name ?? generated.serviceName;
    checkClientOptions(options, name ?? generated.name);
    if (name === undefined) {
      throw new Error(`gRPC client ${generated.name} has no rpc to take a name from: register it with a name`);
    }
    const registrations = this.registrationsOf(client);
    this.checkClassIsFree(client, generated, registrations);
    this.checkNameIsFree(name, client, generated);
    const earlier = registrations?.byName.get(name);
    if (earlier?.isUsed) {
      throw new Error(
        `gRPC client '${name}' was already used, and cannot be registered again: register all clients before the first is resolved`,
      );
    }
    const merged = mergeClientOptions(earlier?.options ?? {}, options);
    checkClientOptions(merged, name);
    const target = registrations ?? this.addClass(client, generated);
    target.byName.set(name, new ClientRegistration(name, merged, this.container, generated, () => target.isUnbound));
    target.bindClients();
  }

  /** Every registration that the container still holds. */
  *all(): Iterable<ClientRegistration> {
    for (const client of this.classes.keys()) {
      yield* this.registrationsOf(client)?.byName.values() ?? [];
    }
  }

  /** Every registration, also of classes that were unbound, whose last calls may still be running. */
  *allEver(): Iterable<ClientRegistration> {
    for (const registrations of this.classes.values()) {
      yield* registrations.byName.values();
    }
  }

  private registrationsOf(client: GrpcClientConstructor<Client>): ClassRegistrations | undefined {
    const registrations = this.classes.get(client);
    if (!registrations?.isHeld()) {
      return undefined;
    }
    registrations.forgetLost();
    return registrations;
  }

  private addClass(client: GrpcClientConstructor<Client>, generated: GeneratedClass): ClassRegistrations {
    const registrations = new ClassRegistrations(this.container, client, generated);
    this.classes.set(client, registrations);
    return registrations;
  }

  /** A mock that is bound to the class, for one: beside it, no injection could tell the two apart. */
  private checkClassIsFree(
    client: GrpcClientConstructor<Client>,
    { name }: GeneratedClass,
    registrations: ClassRegistrations | undefined,
  ): void {
    if (registrations === undefined && this.container.isCurrentBound(client)) {
      throw new Error(
        `gRPC client ${name} cannot be registered: the container has another binding of the class. Unbind that first.`,
      );
    }
  }

  private checkNameIsFree(name: string, client: GrpcClientConstructor<Client>, generated: GeneratedClass): void {
    for (const [other, registrations] of this.classes) {
      if (other !== client && registrations.byName.has(name) && this.registrationsOf(other)?.byName.has(name)) {
        throw new Error(
          `gRPC client '${name}' is already registered with another class (${generatedClass(other, '').name}): give one of ` +
            `the two a name of its own, createGrpcClient(container, ${generated.name}, { name: '...' })`,
        );
      }
    }
  }
}
