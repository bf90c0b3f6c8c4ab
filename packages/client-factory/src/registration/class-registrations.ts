import type { Client } from '@grpc/grpc-js';
import type { BindingConstraints, BindingIdentifier, Container, ServiceIdentifier } from 'inversify';
import type { ClientRegistration } from './client-registration.js';

/** The name under which a class's own registrations are bound, beside its clients: what the container holds, it lets go. */
const registrationsName = Symbol('grpc-di registrations');

/** All registrations of one client class in one container, and the bindings that inject them. */
export class ClassRegistrations {
  readonly byName = new Map<string, ClientRegistration>();
  /** The container has let go of the class, by `unbind` for one. */
  isUnbound = false;

  private clientBindings: BindingIdentifier[] = [];

  constructor(
    private readonly container: Container,
    private readonly identifier: ServiceIdentifier<Client>,
    /** The name that bare injection means; a class without rpcs has none. */
    private readonly defaultName: string | undefined,
    /** The class's name, for messages. */
    private readonly className: string,
  ) {
    this.bindSelf();
  }

  /** Binds the clients anew: inversify caches which binding an injection gets, until the identifier is bound again. */
  bindClients(): void {
    const names = [...this.byName.keys()];
    for (const binding of this.clientBindings.splice(0)) {
      unbindNow(this.container, binding);
    }
    const bind = (create: () => Client, when: (request: BindingConstraints) => boolean): void => {
      const binding = this.container.bind(this.identifier).toDynamicValue(create).inTransientScope().when(when);
      this.clientBindings.push(binding.getIdentifier());
    };
    for (const name of names) {
      bind(
        () => this.byName.get(name)!.createClient(),
        (request) => this.asksFor(name, request),
      );
    }
    // Whatever matches no registration: an error that lists them, also where inversify would pass over a missing binding.
    bind(
      () => {
        throw this.notRegistered();
      },
      (request) => request.name !== registrationsName && !names.some((name) => this.asksFor(name, request)),
    );
  }

  /** The error for an injection, or a `name`, that no registration answers. */
  notRegistered(name?: string): Error {
    const names = [...this.byName.keys()].map((known) => `'${known}'`).join(', ');
    const example = `@inject(${this.className}) @named('${this.byName.keys().next().value}')`;
    return new Error(
      name === undefined
        ? `gRPC client ${this.className} is not registered under its default name '${this.defaultName}', only as ${names}: ` +
            `inject one of those with ${example}, or register it without a name.`
        : `gRPC client ${this.className} is not registered as '${name}', only as ${names}.`,
    );
  }

  private asksFor(name: string, request: BindingConstraints): boolean {
    return request.tags.size === 0 && (request.name ?? this.defaultName) === name;
  }

  /**
   * inversify deactivates singletons that were resolved, and no others. The handler is synchronous, so that the
   * synchronous `unbind` works, and closing lets running calls finish.
   */
  private bindSelf(): void {
    this.container
      .bind<unknown>(this.identifier)
      .toDynamicValue(() => this)
      .inSingletonScope()
      .when((request) => request.name === registrationsName)
      .onDeactivation(() => this.letGo());
    this.container.get(this.identifier, { name: registrationsName });
  }

  private letGo(): void {
    this.isUnbound = true;
    for (const { name, channel } of this.byName.values()) {
      void channel.close(`gRPC client '${name}' is closed: its binding was removed from the container`);
    }
  }
}

/** The registrations behind a class, in this container or a parent; `undefined` where something else is bound to it. */
export function registrationsOf(
  container: Container,
  identifier: ServiceIdentifier<Client>,
): ClassRegistrations | undefined {
  const bound: unknown = container.get(identifier, { name: registrationsName, optional: true });
  return bound instanceof ClassRegistrations ? bound : undefined;
}

/** inversify 7 calls it `unbindSync`. */
function unbindNow(container: Container, binding: BindingIdentifier): void {
  const name = 'unbindSync' in container ? ('unbindSync' as 'unbind') : 'unbind';
  container[name](binding);
}
