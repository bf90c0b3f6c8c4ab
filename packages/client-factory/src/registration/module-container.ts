import type {
  BindingIdentifier,
  BindToFluentSyntax,
  Container,
  ContainerModuleLoadOptions,
  ResolutionContext,
  ServiceIdentifier,
} from 'inversify';
import { unbindNow } from './unbind-now.js';

/** What resolves: a container, or what inversify hands to a binding that is being resolved. */
export type Resolver = Pick<ResolutionContext, 'get' | 'getAll'>;

/**
 * A container as a module sees it: at its loading nothing can be resolved, and later only while somebody resolves what
 * the module bound. inversify counts to a module, and unbinds with it, what was bound through these very options.
 */
export class ModuleContainer {
  /** What the resolver is injected under, for those that are resolved. */
  readonly resolverIdentifier = Symbol('grpc-di resolver');

  private resolver: Resolver | undefined;

  constructor(private readonly module: ContainerModuleLoadOptions) {
    module
      .bind<Resolver>(this.resolverIdentifier)
      .toDynamicValue((context) => context)
      .inTransientScope();
  }

  get canResolve(): boolean {
    return this.resolver !== undefined;
  }

  bind<T>(identifier: ServiceIdentifier<T>): BindToFluentSyntax<T> {
    return this.module.bind(identifier);
  }

  unbind(binding: BindingIdentifier | ServiceIdentifier): void {
    unbindNow(this.module, binding);
  }

  isBound(...[identifier, options]: Parameters<Container['isBound']>): boolean {
    return this.module.isBound(identifier, options);
  }

  /** A module cannot tell its container from the parents of it. */
  isCurrentBound(...[identifier, options]: Parameters<Container['isBound']>): boolean {
    return this.module.isBound(identifier, options);
  }

  get(...args: Parameters<Resolver['get']>): unknown {
    return this.resolverNow().get(...args);
  }

  getAll(...args: Parameters<Resolver['getAll']>): unknown[] {
    return this.resolverNow().getAll(...args);
  }

  /** Runs `fn` while there is something to resolve with, and keeps nothing of that: it may be a child container's. */
  resolvingWith<T>(resolver: Resolver, fn: () => T): T {
    const outer = this.resolver;
    this.resolver = resolver;
    try {
      return fn();
    } finally {
      this.resolver = outer;
    }
  }

  private resolverNow(): Resolver {
    if (this.resolver === undefined) {
      throw new Error('the container of a grpcClientModule resolves only while one of its clients is being created');
    }
    return this.resolver;
  }
}

/** Runs `fn`, in which `container` can resolve: a module's needs to be told with what. */
export function resolvingWith<T>(container: Container | ModuleContainer, resolver: Resolver, fn: () => T): T {
  return container instanceof ModuleContainer ? container.resolvingWith(resolver, fn) : fn();
}
