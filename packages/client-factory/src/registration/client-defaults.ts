import type { Container } from 'inversify';
import { type GrpcClientOptions, mergeClientOptions } from './client-options.js';

/** What all clients and channels of one container, and of its children, have unless they say otherwise. */
export class ClientDefaults {
  isUsed = false;

  constructor(readonly options: GrpcClientOptions) {}
}

/** What the container has its own {@link ClientDefaults} under. */
export const defaultsIdentifier = Symbol('grpc-di client defaults');

/** What the container has the objects under that the defaults name: an array of `[identifier, object]`. */
export const defaultPartsIdentifier = Symbol('grpc-di parts of client defaults');

/** The defaults that reach `container`, its own last. From now on they can no longer change. */
export function useDefaults(container: Container): GrpcClientOptions {
  let merged: GrpcClientOptions = {};
  for (const defaults of defaultsOf(container)) {
    defaults.isUsed = true;
    merged = mergeClientOptions(merged, defaults.options);
  }
  return merged;
}

/** A client's own channel or address replaces the default one: no mixture of both. */
export function applyDefaults(defaults: GrpcClientOptions, own: GrpcClientOptions): GrpcClientOptions {
  const applied = { ...defaults };
  if (own.channel !== undefined) {
    delete applied.address;
    delete applied.credentials;
    delete applied.channelOptions;
    delete applied.serviceConfig;
  } else if (own.address !== undefined) {
    delete applied.channel;
  }
  return mergeClientOptions(applied, own);
}

function defaultsOf(container: Container): ClientDefaults[] {
  return container.getAll<ClientDefaults>(defaultsIdentifier, { chained: true, optional: true }).reverse();
}
