import { setImmediate } from 'node:timers';
import type { BindingConstraints, BindingIdentifier, Container, ServiceIdentifier } from 'inversify';
import { bindWithParts } from './bind-with-parts.js';
import type { ClientKind } from './client-kind.js';
import type { ClientRegistration } from './client-registration.js';
import { type Parts, partsPerClient } from './container-parts.js';
import { ModuleContainer, type Resolver } from './module-container.js';
import type { RestoreWatch } from './restore-watch.js';
import { unbindNow } from './unbind-now.js';

/** The name under which a class's own registrations are bound, beside its clients: what the container holds, it lets go. */
const registrationsName = Symbol('grpc-di registrations');

/** The tag under which the objects are bound that a client of that name is made with, for clients with overrides. */
const partsTag = Symbol('grpc-di parts of client');

/** The value of that tag for all clients whose own options name no objects: they are made with the same ones. */
const noPartsOfItsOwn = Symbol('grpc-di no parts of its own');

/** Asked for this name, the container consults every registration, and finds none. */
const rollCallName = Symbol('grpc-di roll call of registrations');

/** All registrations of one client class in one container, and the bindings that inject them. */
export class ClassRegistrations {
  readonly byName = new Map<string, ClientRegistration>();

  private readonly bindings = new WeakMap<ClientRegistration, BindingIdentifier[]>();
  private mayBeUnbound = false;
  private wasAsked = false;
  private rollCall = new Map<string, ClientRegistration>();
  private followedRestores: number;

  constructor(
    private readonly container: Container,
    private readonly identifier: ServiceIdentifier,
    readonly kind: ClientKind,
    private readonly restoreWatch: RestoreWatch,
  ) {
    this.followedRestores = restoreWatch.restores;
    this.bindSelf();
    this.bindErrors();
    this.bindParts(noPartsOfItsOwn, []);
  }

  /**
   * Binds a registration, instead of the earlier one of its name. There is a binding for each, because inversify tells a
   * binding nothing of who asks, and caches which binding an injection gets until one of them comes or goes.
   */
  add(registration: ClientRegistration): void {
    const { name } = registration;
    const earlier = this.byName.get(name);
    for (const binding of (earlier && this.bindings.get(earlier)) ?? []) {
      unbindNow(this.container, binding);
    }
    const isFirst = this.byName.size === 0;
    this.byName.set(name, registration);
    this.bindings.set(registration, this.bindClient(registration));
    if (isFirst) {
      this.hold();
    } else {
      // What takes back the first takes the class, which shows without a mark.
      this.restoreWatch.mark();
    }
  }

  /**
   * Brings {@link byName} in line with the container, which must hold the class: `restore()` takes what was registered
   * since the snapshot. Each registration asks for it, so that without a `restore()` it must not look at the others.
   */
  followRestore(): void {
    const { restores } = this.restoreWatch;
    if (restores === this.followedRestores) {
      return;
    }
    this.followedRestores = restores;
    const allBound = this.callRoll();
    for (const [name, registration] of this.byName) {
      const bound = allBound.get(name);
      if (bound === registration) {
        continue;
      }
      if (bound === undefined) {
        this.byName.delete(name);
      } else {
        this.byName.set(name, bound);
      }
      void registration.close(`${registration.owner} is closed: its binding was removed from the container`, false);
    }
  }

  /**
   * Whether the container has let go of the class, by `unbind` for one. Not for good: `restore()` brings back what a
   * snapshot holds.
   */
  get isUnbound(): boolean {
    return this.mayBeUnbound && !this.isHeld();
  }

  /** Asked for a name that nobody else knows, the container consults the condition of our binding, if it has that. */
  isHeld(): boolean {
    this.wasAsked = false;
    this.container.isCurrentBound(this.identifier, { name: registrationsName });
    return this.wasAsked;
  }

  /** What a client of that registration is made with, for `asking`: this container, or a child of it. */
  partsFor({ name, options }: ClientRegistration, asking: Resolver): Parts {
    const value = partsPerClient(options).size === 0 ? noPartsOfItsOwn : name;
    return asking.get<Parts>(this.identifier as ServiceIdentifier<Parts>, { tag: { key: partsTag, value } });
  }

  /** What the container has, by the conditions of our bindings. */
  private callRoll(): ReadonlyMap<string, ClientRegistration> {
    this.rollCall = new Map();
    this.container.isCurrentBound(this.identifier, { name: rollCallName });
    return this.rollCall;
  }

  /** The error for a `name` that no registration answers. */
  notRegistered(name: string): Error {
    return new Error(`gRPC client ${this.kind.name} is not registered as '${name}', only as ${this.names()}.`);
  }

  /** The error for an injection that names none, where no name is the default. */
  noDefaultName(): Error {
    const { name: className, serviceName, rpcs } = this.kind;
    const example = `@inject(${className}) @named('${this.byName.keys().next().value}')`;
    if (rpcs === undefined) {
      return new Error(
        `gRPC client ${className} is registered as ${this.names()}: inject one of those with ${example}.`,
      );
    }
    return new Error(
      serviceName === undefined
        ? `gRPC client ${className} has no default name, having no rpcs: inject it with ${example}.`
        : `gRPC client ${className} is not registered under its default name '${serviceName}', only as ` +
            `${this.names()}: inject one of those with ${example}, or register it without a name.`,
    );
  }

  /** An identifier that its user chose for a client of their own needs no second name. */
  get defaultName(): string | undefined {
    const { rpcs, serviceName } = this.kind;
    return rpcs === undefined && this.byName.size === 1 ? this.byName.keys().next().value : serviceName;
  }

  /** The handler is synchronous, so that the synchronous `unbind` works; closing lets running calls finish. */
  private bindSelf(): void {
    this.container
      .bind<unknown>(this.identifier)
      .toDynamicValue(() => this)
      .inSingletonScope()
      .when((request) => {
        const isAsked = request.name === registrationsName;
        this.wasAsked ||= isAsked;
        return isAsked;
      })
      .onDeactivation(() => this.letGo());
  }

  /** Whatever matches no registration is an error that lists them, also where inversify passes over a missing binding. */
  private bindErrors(): void {
    const { name: className } = this.kind;
    const isUnknown = (request: BindingConstraints): boolean =>
      request.name !== registrationsName &&
      request.name !== rollCallName &&
      !request.tags.has(partsTag) &&
      !this.byName.has(this.nameAskedFor(request) as string);
    const isBare = (request: BindingConstraints): boolean => request.name === undefined && request.tags.size === 0;
    this.bind(
      () => {
        throw this.noDefaultName();
      },
      (request) => isBare(request) && isUnknown(request),
    );
    this.bind(
      () => {
        throw new Error(
          `gRPC client ${className} is not registered under the name or tag that was asked for, only as ${this.names()}.`,
        );
      },
      (request) => !isBare(request) && isUnknown(request),
    );
  }

  private bindClient(registration: ClientRegistration): BindingIdentifier[] {
    const { name, options } = registration;
    const own = [...partsPerClient(options)];
    const client = this.bindMade(
      (parts) => registration.createClient(parts),
      own,
      (request) => {
        if (request.name === rollCallName) {
          this.rollCall.set(name, registration);
          return false;
        }
        return this.nameAskedFor(request) === name;
      },
    );
    return own.length === 0 ? [client] : [client, this.bindParts(name, own)];
  }

  private bindParts(tagged: string | symbol, own: readonly ServiceIdentifier[]): BindingIdentifier {
    return this.bindMade(
      (parts) => parts,
      own,
      ({ tags }) => tags.get(partsTag) === tagged,
    );
  }

  /**
   * What the container is asked for with the client is resolved where the client is: in the container that asks, and in
   * the same request.
   */
  private bindMade(
    create: (parts: Parts) => unknown,
    own: readonly ServiceIdentifier[],
    when: (request: BindingConstraints) => boolean,
  ): BindingIdentifier {
    return bindWithParts(this.container, this.identifier, create, own, {
      // What was resolved is deactivated when the container lets go of it.
      serviceIdentifier: this.identifier,
      name: registrationsName,
    })
      .when(when)
      .getIdentifier();
  }

  private bind(create: () => never, when: (request: BindingConstraints) => boolean): BindingIdentifier {
    return this.container
      .bind<unknown>(this.identifier)
      .toDynamicValue(create)
      .inTransientScope()
      .when(when)
      .getIdentifier();
  }

  /** Bare injection means the default name; there is no tagged one. */
  private nameAskedFor({ name, tags }: BindingConstraints): unknown {
    return tags.size > 0 ? undefined : (name ?? this.defaultName);
  }

  /** inversify deactivates singletons that were resolved, and no others. */
  hold(): void {
    const container: unknown = this.container;
    if (!(container instanceof ModuleContainer) || container.canResolve) {
      this.container.get(this.identifier, { name: registrationsName });
    }
  }

  /**
   * Whether it is we who are let go of shows only afterwards: inversify also runs the handler when a child container,
   * without a binding of its own, unbinds or rebinds the class (inversify 7 and 8).
   */
  private letGo(): void {
    this.mayBeUnbound = true;
    setImmediate(() => {
      if (this.isHeld()) {
        this.mayBeUnbound = false;
        this.hold();
      } else {
        for (const registration of this.byName.values()) {
          registration.release();
        }
      }
    });
  }

  private names(): string {
    return [...this.byName.keys()].map((name) => `'${name}'`).join(', ');
  }
}

/** The registrations behind a class, in this container or a parent; `undefined` where something else is bound to it. */
export function registrationsOf(resolver: Resolver, identifier: ServiceIdentifier): ClassRegistrations | undefined {
  const bound: unknown = resolver.get(identifier, { name: registrationsName, optional: true });
  return bound instanceof ClassRegistrations ? bound : undefined;
}
