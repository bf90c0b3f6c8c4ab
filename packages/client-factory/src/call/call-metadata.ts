import { Metadata } from '@grpc/grpc-js';
import { type CallContextScope, describeValue } from '@grpc-di/call-context/opener';
import { copyMissing } from '../propagation/copy-missing.js';
import type { PropagationPolicy } from '../propagation/propagation-options.js';
import type { GrpcCallOptions } from './calls.js';

/** What a client is registered to send with every call. */
export interface DefaultMetadata {
  readonly names: readonly string[];
  readonly values: Metadata;
}

/**
 * The metadata of one call. The call's own entries come first; what the parent brings, and then what the client is
 * registered with, only fills in names that are still missing. What the caller passed is copied: interceptors and
 * instrumentations write to a call's metadata, and one object may serve many calls.
 *
 * @throws TypeError for an option `metadata` that is none.
 */
export function callMetadata(
  argument: Metadata | undefined,
  options: GrpcCallOptions,
  defaults: DefaultMetadata | undefined,
  waitsByDefault: boolean | undefined,
  parent: CallContextScope | undefined,
  policy: PropagationPolicy | undefined,
  method: string,
): Metadata {
  const option = options.metadata === undefined ? undefined : toMetadata(options.metadata, `${method}: metadata`);
  const metadata = (argument ?? option)?.clone() ?? new Metadata();
  if (argument !== undefined && option !== undefined) {
    metadata.merge(option);
  }
  fillIn(metadata, defaults, waitsByDefault, parent, policy);
  if (options.waitForReady !== undefined) {
    metadata.setOptions({ ...metadata.getOptions(), waitForReady: options.waitForReady });
  }
  return metadata;
}

/** Adds to `metadata` what it does not have yet. */
export function fillIn(
  metadata: Metadata,
  defaults: DefaultMetadata | undefined,
  waitsByDefault: boolean | undefined,
  parent: CallContextScope | undefined,
  policy: PropagationPolicy | undefined,
): void {
  if (policy !== undefined && policy.metadata.length > 0 && parent?.requestMetadata !== undefined) {
    copyMissing(policy.metadata, parent.requestMetadata, metadata);
  }
  if (defaults !== undefined) {
    copyMissing(defaults.names, defaults.values, metadata);
  }
  if (waitsByDefault !== undefined && metadata.getOptions().waitForReady === undefined) {
    metadata.setOptions({ ...metadata.getOptions(), waitForReady: waitsByDefault });
  }
}

/**
 * @param describe how messages show what is wrong.
 * @throws TypeError that begins with `option`, for names and values that metadata cannot hold.
 */
export function toMetadata(
  entries: Metadata | Record<string, string>,
  option = 'metadata',
  describe: (value: unknown) => string = describeValue,
): Metadata {
  if (entries instanceof Metadata) {
    return entries;
  }
  if (typeof entries !== 'object' || entries === null || Symbol.iterator in entries) {
    throw new TypeError(
      `${option} must be a Metadata of @grpc/grpc-js or an object of strings, not ${describe(entries)}`,
    );
  }
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) {
    setEntry(metadata, name, value, option, describe);
  }
  return metadata;
}

function setEntry(
  metadata: Metadata,
  name: string,
  value: unknown,
  option: string,
  describe: (value: unknown) => string,
): void {
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) {
    throw new TypeError(
      `${option} '${name}' must be a string, or a Buffer under a name in -bin, not ${describe(value)}`,
    );
  }
  try {
    metadata.set(name, value);
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith('Metadata string value')) {
      // grpc-js shows the value, which may be a token, read from a file with the line break at its end.
      throw new TypeError(
        `${option} '${name}' has characters that metadata cannot hold, such as a line break at its end`,
      );
    }
    throw new TypeError(`${option} '${name}': ${message}`, { cause: error });
  }
}
