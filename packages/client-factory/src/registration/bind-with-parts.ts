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
    ...own.map(optional),
  ];
  const make = (_held: unknown, ofDefaults: DefaultParts | undefined, ...ofOwn: unknown[]): unknown =>
    create(partsOf(ofDefaults, own, ofOwn));
  const bound = container.bind<unknown>(identifier);
  const made =
    module instanceof ModuleContainer
      ? bound.toResolvedValue(
          (resolver: Resolver | undefined, ...objects: Parameters<typeof make>) =>
            module.resolvingWith(resolver!, () => make(...objects)),
          [optional(module.resolverIdentifier), ...injected] as never,
        )
      : bound.toResolvedValue(make, injected as never);
  return made.inTransientScope();
}

const NO_PARTS: Parts = new Map();

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
