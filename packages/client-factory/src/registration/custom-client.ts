import { types } from 'node:util';
import { describeValue } from '@grpc-di/call-context/opener';
import type { ServiceIdentifier } from 'inversify';
import type { ClientKind } from './client-kind.js';
import { identifierInWords, isIdentifier } from './container-parts.js';

/** A client that is no generated class, under any identifier: the option `createClient` makes it. */
export function customClient(identifier: ServiceIdentifier): ClientKind {
  return {
    name: identifierInWords(identifier),
    serviceName: undefined,
    rpcs: undefined,
    Class: typeof identifier === 'function' ? (identifier as ClientKind['Class']) : undefined,
    create: undefined,
  };
}

/** @throws TypeError for what an inversify container has nothing under. */
export function checkIdentifier(identifier: unknown): asserts identifier is ServiceIdentifier<object> {
  if (!isIdentifier(identifier)) {
    throw new TypeError(
      `createGrpcClient: ${describeValue(identifier)} is neither a generated client class nor a service identifier ` +
        '(a class, a symbol or a string)',
    );
  }
}

/** What `createClient` returned, when it is what was registered. @throws TypeError when it is not. */
export function checkCreated(created: unknown, { name, Class }: ClientKind): object {
  if (types.isPromise(created)) {
    created.catch(() => {}); // nobody will look at it
    throw new TypeError('its createClient returned a promise: make the client synchronously');
  }
  if ((typeof created !== 'object' && typeof created !== 'function') || created === null) {
    throw new TypeError(`its createClient returned ${describeValue(created)}: return the client`);
  }
  if (Class !== undefined && !(created instanceof Class)) {
    throw new TypeError(`its createClient returned ${describeValue(created)}, which is no instance of ${name}`);
  }
  return created;
}
