import type { BindingIdentifier, Container, ServiceIdentifier } from 'inversify';
import { type ChannelRegistration, ownChannelsOf } from './channel-registration.js';
import { checkClientOptions } from './check-client-options.js';
import { ClassRegistrations } from './class-registrations.js';
import { ClientDefaults, defaultsIdentifier } from './client-defaults.js';
import type { ClientKind } from './client-kind.js';
import { type GrpcClientOptions, mergeClientOptions } from './client-options.js';
import { ClientRegistration } from './client-registration.js';
import { ContainerGrpcClientFactory, GrpcClientFactory } from './grpc-client-factory.js';
import { ModuleContainer, type Resolver } from './module-container.js';
import { RestoreWatch } from './restore-watch.js';
import { unbindNow } from './unbind-now.js';

const registryIdentifier = Symbol('grpc-di client registry');

/** Asked for a registry of this name, the container consults each of them, and finds none. */
const rollCallName = Symbol('grpc-di roll call');
let rollCall: ClientRegistry[] = [];

/** The registry of `createGrpcClient` for this very container: a parent's has clients of its own. */
export function registryOf(container: Container): ClientRegistry {
  return registriesIn(container).find((registry) => registry.container === container) ?? new ClientRegistry(container);
}

/** The registries that a container has, and where it is a module's, those of its parents behind them. */
function registriesIn(container: Container): ClientRegistry[] {
  rollCall = [];
  container.isCurrentBound(registryIdentifier, { name: rollCallName });
  return rollCall;
}

/**
 * The clients that are registered in one container by `createGrpcClient`, or by one module. It is bound with the first
 * of them.
 */
export class ClientRegistry {
  private readonly classes = new Map<ServiceIdentifier, ClassRegistrations>();
  /** Every class that ever had a name: some may be unbound, or have lost it to `restore()`. */
  private readonly classesByName = new Map<string, Set<ServiceIdentifier>>();
  private bindings: BindingIdentifier[] = [];
  private readonly factories = new WeakMap<Resolver, GrpcClientFactory>();
  private readonly restoreWatch: RestoreWatch;

  constructor(readonly container: Container) {
    this.restoreWatch = new RestoreWatch(container);
  }

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
    if (earlier !== undefined) {
      checkClientOptions(merged, owner, kind.rpcs);
    }
    const target = registrations ?? this.addClass(identifier, kind);
    target.add(new ClientRegistration(name, merged, this.container, kind, () => target.isUnbound));
    this.noteName(name, identifier);
  }

  /**
   * Binds the registry, the factory of all clients of its container, and their defaults, which know from then on whether
   * they were used. A module's clients have their container's.
   */
  bind(): void {
    if (this.bindings.length > 0) {
      return;
    }
    const registry = this.container
      .bind<ClientRegistry>(registryIdentifier)
      .toConstantValue(this)
      .when(({ name }) => {
        if (name === rollCallName) {
          rollCall.push(this);
        }
        return false;
      });
    const factory = this.container
      .bind(GrpcClientFactory)
      .toDynamicValue((resolver) => this.factoryFor(resolver))
      .inTransientScope()
      .when(() => this.siblings()[0] === this);
    this.bindings = [registry.getIdentifier(), factory.getIdentifier()];
    const container: unknown = this.container;
    if (!(container instanceof ModuleContainer) && !this.container.isCurrentBound(defaultsIdentifier)) {
      this.container.bind(defaultsIdentifier).toConstantValue(new ClientDefaults({}));
    }
  }

  /** Takes {@link bind} back. */
  unbind(): void {
    for (const binding of this.bindings.splice(0)) {
      unbindNow(this.container, binding);
    }
  }

  /** The registries of the same container, the first one first: parents have a first of their own. */
  siblings(): ClientRegistry[] {
    const registries = registriesIn(this.container);
    return registries.filter((registry) => registriesIn(registry.container)[0] === registries[0]);
  }

  /** @throws Error when a sibling has one of these classes already, or one of their names for another class. */
  checkFree(wanted: ClientRegistry): void {
    const others = this.siblings().filter((registry) => registry !== this);
    for (const [identifier, { kind, byName }] of wanted.classes) {
      if (others.some((registry) => registry.registrationsOf(identifier) !== undefined)) {
        throw new Error(
          `grpcClientModule: gRPC client ${kind.name} is already registered in the container, by createGrpcClient or another module`,
        );
      }
      for (const name of byName.keys()) {
        this.checkNameIsFree(name, identifier, kind);
      }
    }
  }

  /** Every registration that the container still holds. */
  *all(): Iterable<ClientRegistration> {
    for (const identifier of this.classes.keys()) {
      const registrations = this.registrationsOf(identifier);
      if (registrations !== undefined) {
        registrations.hold();
        yield* registrations.byName.values();
      }
    }
  }

  /** The channels of its container; a module has none. */
  channels(): ChannelRegistration[] {
    return this.isModules ? [] : ownChannelsOf(this.container);
  }

  /** Every registration, also of classes that were unbound, whose last calls may still be running. */
  *allEver(): Iterable<ClientRegistration> {
    for (const registrations of this.classes.values()) {
      yield* registrations.byName.values();
    }
  }

  private get isModules(): boolean {
    return (this.container as unknown) instanceof ModuleContainer;
  }

  /** One for each container that asks: inversify has one resolver for each. */
  private factoryFor(resolver: Resolver): GrpcClientFactory {
    let factory = this.factories.get(resolver);
    if (factory === undefined) {
      factory = new ContainerGrpcClientFactory(this, resolver);
      this.factories.set(resolver, factory);
    }
    return factory;
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
    const registrations = new ClassRegistrations(this.container, identifier, kind, this.restoreWatch);
    this.classes.set(identifier, registrations);
    return registrations;
  }

  private noteName(name: string, identifier: ServiceIdentifier): void {
    const classes = this.classesByName.get(name);
    if (classes === undefined) {
      this.classesByName.set(name, new Set([identifier]));
    } else {
      classes.add(identifier);
    }
  }

  /** A mock that is bound to the class, for one: beside it, no injection could tell the two apart. */
  private checkIdentifierIsFree(
    identifier: ServiceIdentifier,
    { name }: ClientKind,
    registrations: ClassRegistrations | undefined,
  ): void {
    // A module cannot tell a binding of its own container from a parent's, which it may replace.
    if (registrations === undefined && !this.isModules && this.container.isCurrentBound(identifier)) {
      throw new Error(
        `gRPC client ${name} cannot be registered: the container has another binding of the class. Unbind that first.`,
      );
    }
  }

  private checkNameIsFree(name: string, identifier: ServiceIdentifier, kind: ClientKind): void {
    for (const registry of new Set([this, ...this.siblings()])) {
      for (const other of registry.classesByName.get(name) ?? []) {
        const registrations = other === identifier ? undefined : registry.registrationsOf(other);
        if (registrations?.byName.has(name)) {
          throw new Error(
            `gRPC client '${name}' is already registered with another class (${registrations.kind.name}): give one of ` +
              `the two a name of its own, createGrpcClient(container, ${kind.name}, { name: '...' })`,
          );
        }
      }
    }
  }
}
