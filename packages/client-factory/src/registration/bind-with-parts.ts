import type { BindWhenOnFluentSyntax, Container, ServiceIdentifier } from 'inversify';
import { defaultPartsIdentifier } from './client-defaults.js';
import { optional, type Parts } from './container-parts.js';
import { ModuleContainer, type Resolver } from './module-container.js';

/**
 * Binds what is made of objects of the container, those that the defaults for all clients name among them. They are
 * resolved where it is: in the container that asks, and in the same request.
 *
 * @param own the identifiers that its own options name.
 * @param held what is resolved with it, and no part of it.
 */
export function bindWithParts(
  container: Container,
  identifier: ServiceIdentifier,
  create: (parts: Parts) => unknown,
  own: readonly ServiceIdentifier[],
  held: { readonly serviceIdentifier: ServiceIdentifier; readonly name: symbol },
): BindWhenOnFluentSyntax<unknown> {
  const module: unknown = container;
  const injected = [
    held,
    { serviceIdentifier: defaultPartsIdentifier, isMultiple: true, chained: true, optional: true },
    optional(module instanceof ModuleContainer ? module.resolverIdentifier : NO_RESOLVER),
    ...own.map(optional),
  ];
  return container
    .bind<unknown>(identifier)
    .toResolvedValue(
      (_held: unknown, ofDefaults: DefaultParts | undefined, resolver: Resolver | undefined, ...ofOwn: unknown[]) => {
        const parts = partsOf(ofDefaults, own, ofOwn);
        return module instanceof ModuleContainer ? module.resolvingWith(resolver!, () => create(parts)) : create(parts);
      },
      injected as never,
    )
    .inTransientScope();
}

const NO_PARTS: Parts = new Map();

/** Nothing is bound under it. */
const NO_RESOLVER = Symbol('grpc-di no resolver');

type DefaultParts = ReadonlyArray<[ServiceIdentifier, unknown]>;

function partsOf(
  ofDefaults: DefaultParts | undefined,
  identifiers: readonly ServiceIdentifier[],
  objects: readonly unknown[],
): Parts {
  if (identifiers.length === 0 && (ofDefaults === undefined || ofDefaults.length === 0)) {
    return NO_PARTS;
  }
  const parts = new Map(ofDefaults);
  for (const [i, identifier] of identifiers.entries()) {
    parts.set(identifier, objects[i]);
  }
  return parts;
}
