import type { Container, ServiceIdentifier } from 'inversify';
import { checkDefaults } from './check-client-options.js';
import { checkContainer } from './check-container.js';
import { ClientDefaults, defaultPartsIdentifier, defaultsIdentifier } from './client-defaults.js';
import { type GrpcClientOptions, mergeClientOptions } from './client-options.js';
import { optional, partsPerClient } from './container-parts.js';
import { unbindNow } from './unbind-now.js';

/**
 * Options for every client and channel of the container and of its children, registered before or after: what they
 * set themselves wins, lists append to the defaults'. A second call merges with the first. An address and the like
 * count for clients that bring no address or channel of their own.
 *
 * @throws TypeError or Error, before anything is changed, for invalid options, ones that only a single client can have
 * (`name`, `methods`, `createClient`), and once a client was used.
 */
export function configureGrpcClientDefaults(container: Container, options: Partial<GrpcClientOptions>): void {
  checkContainer(container, 'configureGrpcClientDefaults');
  checkDefaults(options, OWNER);
  const earlier = container.isCurrentBound(defaultsIdentifier)
    ? container.get<ClientDefaults>(defaultsIdentifier)
    : undefined;
  if (earlier?.isUsed) {
    throw new Error(`${OWNER}: a client was already used: configure the defaults before the first client is resolved`);
  }
  const merged = mergeClientOptions(earlier?.options ?? {}, options);
  checkDefaults(merged, OWNER);
  if (earlier !== undefined) {
    unbindNow(container, defaultsIdentifier);
  }
  container.bind(defaultsIdentifier).toConstantValue(new ClientDefaults(merged));
  const known = partsPerClient(earlier?.options ?? {});
  for (const identifier of partsPerClient(options)) {
    if (!known.has(identifier)) {
      bindPart(container, identifier);
    }
  }
}

const OWNER = 'gRPC client defaults';

/** Injected into the clients, and so resolved in the container and the request that ask for one. */
function bindPart(container: Container, identifier: ServiceIdentifier): void {
  container
    .bind<Part>(defaultPartsIdentifier)
    .toResolvedValue((object: unknown): Part => [identifier, object], [optional(identifier)])
    .inTransientScope();
}

type Part = [ServiceIdentifier, unknown];
