import { ChannelCredentials, type ChannelOptions, Metadata } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { Container } from 'inversify';
import { toMetadata } from '../call/call-metadata.js';
import { checkAddress } from '../channel/address.js';
import type { CallContextPropagationOptions } from '../propagation/propagation-options.js';

/** A gRPC target (`dns:users:50051`, `unix:/run/users.sock`), or an http(s) URL, which also picks the credentials. */
export type Address = string | URL;

export interface GrpcClientOptions {
  /**
   * The registration's name. Default: the protobuf service's full name, such as `users.v1.Users`. Clients under other
   * names are injected with `@named(name)`.
   */
  name?: string;
  /** Where the service is; a function is called once, at the first use. */
  address?: Address | ((container: Container) => Address);
  /** Needed for a target that is neither an http(s) URL nor on this machine (loopback, unix sockets). */
  credentials?: ChannelCredentials;
  /** grpc-js's channel options; merged over those of earlier registrations of the same client, key by key. */
  channelOptions?: ChannelOptions;
  /** Sent with every call; never overrides or adds to a key that the call sets. */
  metadata?: Metadata | Record<string, string>;
  /** Milliseconds; for calls that set neither `deadline` nor `timeoutMs`. Default: no deadline. */
  timeoutMs?: number;
  /** Whether calls inherit the deadline and the cancellation of the call that they are made in. Default `false`. */
  enableCallContextPropagation?: boolean | CallContextPropagationOptions;
}

/**
 * @throws TypeError or Error that names the client, the option and what is right, for wrong types and values and for
 * unknown options.
 */
export function checkClientOptions(options: GrpcClientOptions, client: string): void {
  if (!isOptionsObject(options)) {
    throw new TypeError(
      `gRPC client '${client}': options must be an object such as { address: 'https://users:50051' }, not ${describeValue(options)}`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) {
      checkOption(name, value, client);
    }
  }
  if (options.address !== undefined && typeof options.address !== 'function') {
    naming(client, () => checkAddress(options.address as Address, options.credentials));
  }
}

/**
 * The later registration's keys win; objects of keys merge. Neither is changed, and what becomes of them afterwards does
 * not show in the result.
 */
export function mergeClientOptions(earlier: GrpcClientOptions, later: GrpcClientOptions): GrpcClientOptions {
  const merged: GrpcClientOptions = { ...earlier };
  for (const name of Object.keys(later) as Array<keyof GrpcClientOptions>) {
    if (later[name] !== undefined) {
      (merged as Record<string, unknown>)[name] = later[name];
    }
  }
  if (later.channelOptions !== undefined) {
    merged.channelOptions = { ...earlier.channelOptions, ...later.channelOptions };
  }
  if (later.metadata !== undefined) {
    merged.metadata = mergeMetadata(earlier.metadata, later.metadata);
  }
  if (isOptionsObject(later.enableCallContextPropagation)) {
    const { enableCallContextPropagation: options } = earlier;
    merged.enableCallContextPropagation = {
      ...(isOptionsObject(options) ? options : undefined),
      ...later.enableCallContextPropagation,
    };
  }
  return merged;
}

/** Runs `check` and puts the client's name before the message of what it throws. */
export function naming<T>(client: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const message = `gRPC client '${client}': ${error instanceof Error ? error.message : String(error)}`;
    throw error instanceof TypeError ? new TypeError(message) : new Error(message);
  }
}

const KNOWN_OPTIONS = [
  'name',
  'address',
  'credentials',
  'channelOptions',
  'metadata',
  'timeoutMs',
  'enableCallContextPropagation',
];

function checkOption(name: string, value: unknown, client: string): void {
  const rule = brokenRule(name, value);
  if (rule !== undefined) {
    throw new TypeError(`gRPC client '${client}': ${rule}`);
  }
  if (name === 'metadata') {
    naming(client, () => toMetadata(value as Metadata));
  }
}

function brokenRule(name: string, value: unknown): string | undefined {
  switch (name) {
    case 'name':
      return typeof value === 'string' && value !== ''
        ? undefined
        : `name must be a string that is not empty, not ${describeValue(value)}`;
    case 'address':
      return typeof value === 'string' || value instanceof URL || typeof value === 'function'
        ? undefined
        : `address must be a gRPC target such as 'dns:users:50051', an http(s) URL or a function that returns one, not ${describeValue(value)}`;
    case 'credentials':
      return value instanceof ChannelCredentials
        ? undefined
        : `credentials must be ChannelCredentials of @grpc/grpc-js, such as credentials.createSsl(), not ${describeValue(value)}`;
    case 'channelOptions':
      return isOptionsObject(value) ? undefined : `channelOptions must be an object, not ${describeValue(value)}`;
    case 'metadata':
      return undefined;
    case 'timeoutMs':
      return typeof value === 'number' && !Number.isNaN(value)
        ? undefined
        : `timeoutMs must be a number of milliseconds (Infinity for no deadline), not ${describeValue(value)}`;
    case 'enableCallContextPropagation':
      return brokenPropagationRule(value);
    default:
      return `unknown option "${name}"; there are ${KNOWN_OPTIONS.join(', ')}`;
  }
}

const ON_CONTEXT_NOT_FOUND = ['throw', 'warn', 'ignore'];

function brokenPropagationRule(value: unknown): string | undefined {
  if (typeof value === 'boolean') {
    return undefined;
  }
  if (!isOptionsObject(value)) {
    return `enableCallContextPropagation must be a boolean or an object of options, not ${describeValue(value)}`;
  }
  for (const [name, option] of Object.entries(value)) {
    const rule = option === undefined ? undefined : brokenPropagationOptionRule(name, option);
    if (rule !== undefined) {
      return `enableCallContextPropagation.${rule}`;
    }
  }
  return undefined;
}

function brokenPropagationOptionRule(name: string, value: unknown): string | undefined {
  switch (name) {
    case 'deadline':
    case 'cancellation':
      return typeof value === 'boolean' ? undefined : `${name} must be a boolean, not ${describeValue(value)}`;
    case 'metadata':
      return Array.isArray(value) && value.every(isMetadataName)
        ? undefined
        : `metadata must be an array of metadata names, each written out, such as ['x-request-id'], not ${describeValue(value)}`;
    case 'deadlineMarginMs':
      return value === 0 || (isPositive(value) && value !== Infinity)
        ? undefined
        : `deadlineMarginMs must be a number of milliseconds, 0 or more, not ${describeValue(value)}`;
    case 'onContextNotFound':
      return ON_CONTEXT_NOT_FOUND.includes(value as string)
        ? undefined
        : `onContextNotFound must be 'throw', 'warn' or 'ignore', not ${describeValue(value)}`;
    default:
      return `${name} is unknown; there are deadline, cancellation, metadata, deadlineMarginMs, onContextNotFound`;
  }
}

/** `grpc-` names are the protocol's own (gRPC over HTTP/2). */
function isMetadataName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z0-9_.-]+$/i.test(value) && !/^grpc-/i.test(value);
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

/** Arrays, maps and the like have entries, but no options. */
function isOptionsObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value);
}

function mergeMetadata(earlier: GrpcClientOptions['metadata'], later: Metadata | Record<string, string>): Metadata {
  const merged = earlier === undefined ? new Metadata() : toMetadata(earlier).clone();
  const added = toMetadata(later);
  for (const name of Object.keys(added.toJSON())) {
    merged.remove(name);
    for (const value of added.get(name)) {
      merged.add(name, value);
    }
  }
  return merged;
}
