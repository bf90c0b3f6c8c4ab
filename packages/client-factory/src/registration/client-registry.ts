import type { Container, ServiceIdentifier } from 'inversify';
import { checkClientOptions } from './check-client-options.js';
import { ClassRegistrations } from './class-registrations.js';
import { ClientDefaults, defaultsIdentifier } from './client-defaults.js';
import type { ClientKind } from './client-kind.js';
import { type GrpcClientOptions, mergeClientOptions } from './client-options.js';
import { ClientRegistration } from './client-registration.js';
import { ContainerGrpcClientFactory, GrpcClientFactory } from './grpc-client-factory.js';

const registryIdentifier = Symbol('grpc-di client registry');

/** The registry of this very container: a parent's has clients of its own. */
export function registryOf(container: Container): ClientRegistry {
  if (container.isCurrentBound(registryIdentifier)) {
    return container.get<ClientRegistry>(registryIdentifier);
  }
  return new ClientRegistry(container);
}

/** All clients that are registered in one container. It is bound with the first of them. */
export class ClientRegistry {
  private readonly classes = new Map<ServiceIdentifier, ClassRegistrations>();

  constructor(private readonly container: Container) {}

  /**
   * Registers a client, or merges the options into an earlier registration of the same identifier and name.
   *
   * @throws TypeError or Error, before anything is changed, for invalid options, a name that another client has, and a
   * client that was already used.
   */
  register(identifier: ServiceIdentifier, kind: ClientKind, options: GrpcClientOptions): void {
    const name = options?.name ?? kind.serviceName;
    const owner = `gRPC client '${name ?? kind.name}'`;
    checkClientOptions(options, owner, kind.rpcs);
    if (name === undefined) {
      const why = kind.rpcs === undefined ? 'is no generated class' : 'has no rpc';
      throw new Error(`gRPC client ${kind.name} ${why} to take a name from: register it with a name`);
    }
    const registrations = this.registrationsOf(identifier);
    this.checkIdentifierIsFree(identifier, kind, registrations);
    this.checkNameIsFree(name, identifier, kind);
    const earlier = registrations?.byName.get(name);
    if (earlier?.isUsed) {
      throw new Error(
        `${owner} was already used, and cannot be registered again: register all clients before the first is resolved`,
      );
    }
    const merged = mergeClientOptions(earlier?.options ?? {}, options);
    checkClientOptions(merged, owner, kind.rpcs);
    const target = registrations ?? this.addClass(identifier, kind);
    target.add(new ClientRegistration(name, merged, this.container, kind, () => target.isUnbound));
  }

  /** Binds the registry, the factory of its clients, and their defaults, which know from then on whether they were used. */
  bind(): void {
    if (!this.container.isCurrentBound(registryIdentifier)) {
      this.container.bind(registryIdentifier).toConstantValue(this);
      this.container.bind(GrpcClientFactory).toConstantValue(new ContainerGrpcClientFactory(this.container, this));
    }
    if (!this.container.isCurrentBound(defaultsIdentifier)) {
      this.container.bind(defaultsIdentifier).toConstantValue(new ClientDefaults({}));
    }
  }

  /** Every registration that the container still holds. */
  *all(): Iterable<ClientRegistration> {
    for (const identifier of this.classes.keys()) {
      yield* this.registrationsOf(identifier)?.byName.values() ?? [];
    }
  }

  /** Every registration, also of classes that were unbound, whose last calls may still be running. */
  *allEver(): Iterable<ClientRegistration> {
    for (const registrations of this.classes.values()) {
      yield* registrations.byName.values();
    }
  }

  private registrationsOf(identifier: ServiceIdentifier): ClassRegistrations | undefined {
    const registrations = this.classes.get(identifier);
    if (!registrations?.isHeld()) {
      return undefined;
    }
    registrations.followRestore();
    return registrations;
  }

  private addClass(identifier: ServiceIdentifier, kind: ClientKind): ClassRegistrations {
    this.bind();
    const registrations = new ClassRegistrations(this.container, identifier, kind);
    this.classes.set(identifier, registrations);
    return registrations;
  }

  /** A mock that is bound to the class, for one: beside it, no injection could tell the two apart. */
  private checkIdentifierIsFree(
    identifier: ServiceIdentifier,
    { name }: ClientKind,
    registrations: ClassRegistrations | undefined,
  ): void {
    if (registrations === undefined && this.container.isCurrentBound(identifier)) {
      throw new Error(
        `gRPC client ${name} cannot be registered: the container has another binding of the class. Unbind that first.`,
      );
    }
  }

  private checkNameIsFree(name: string, identifier: ServiceIdentifier, kind: ClientKind): void {
    for (const [other, registrations] of this.classes) {
      if (other !== identifier && registrations.byName.has(name) && this.registrationsOf(other)?.byName.has(name)) {
        throw new Error(
          `gRPC client '${name}' is already registered with another class (${registrations.kind.name}): give one of ` +
            `the two a name of its own, createGrpcClient(container, ${kind.name}, { name: '...' })`,
        );
      }
    }
  }
}
