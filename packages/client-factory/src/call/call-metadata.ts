import { Metadata } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { copyMissing } from '../propagation/copy-missing.js';
import type { ParentCall } from '../propagation/parent-call.js';
import type { GrpcCallOptions } from './calls.js';

/** What a client is registered to send with every call. */
export interface DefaultMetadata {
  readonly names: readonly string[];
  readonly values: Metadata;
}

const NONE: readonly string[] = [];

/**
 * The metadata of one call. The call's own entries come first; what the parent brings, and then what the client is
 * registered with, only fills in names that are still missing. What the caller passed is copied before it is changed.
 */
export function callMetadata(
  argument: Metadata | undefined,
  options: GrpcCallOptions,
  defaults: DefaultMetadata | undefined,
  parent: ParentCall | undefined,
): Metadata {
  const option = options.metadata === undefined ? undefined : toMetadata(options.metadata);
  const given = argument ?? option;
  const more = argument === undefined ? undefined : option;
  const { waitForReady } = options;
  const names = parent?.scope.requestMetadata === undefined ? NONE : parent.metadataNames;
  if (more === undefined && defaults === undefined && names.length === 0 && waitForReady === undefined) {
    return given ?? new Metadata();
  }
  const metadata = given === undefined ? new Metadata() : given.clone();
  if (more !== undefined) {
    metadata.merge(more);
  }
  if (names.length > 0) {
    copyMissing(names, parent!.scope.requestMetadata!, metadata);
  }
  if (defaults !== undefined) {
    copyMissing(defaults.names, defaults.values, metadata);
  }
  if (waitForReady !== undefined) {
    metadata.setOptions({ ...metadata.getOptions(), waitForReady });
  }
  return metadata;
}

/** @throws Error or TypeError for names and values that metadata cannot hold. */
export function toMetadata(entries: Metadata | Record<string, string>): Metadata {
  if (entries instanceof Metadata) {
    return entries;
  }
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) {
    throw new TypeError(
      `metadata must be a Metadata of @grpc/grpc-js or an object of strings, not ${describeValue(entries)}`,
    );
  }
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) {
    metadata.set(name, value);
  }
  return metadata;
}
