import { ChannelCredentials } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { toMetadata } from '../call/call-metadata.js';
import type { Rpc } from '../call/rpcs.js';
import { checkAddress } from '../channel/address.js';
import { checkServiceConfig } from '../channel/check-service-config.js';
import { brokenCredentialsRule, brokenInterceptorRule, brokenListRule } from './check-list-options.js';
import { brokenBooleanRule, brokenMethodsRule, brokenTimeoutRule } from './check-method-options.js';
import { brokenPropagationRule } from './check-propagation-options.js';
import type { GrpcClientOptions } from './client-options.js';
import { isIdentifier } from './container-parts.js';
import { isOptionsObject } from './options-object.js';

/** What messages call the thing whose options are checked, such as `gRPC client 'users.v1.Users'`. */
export type Owner = string;

/**
 * @param rpcs the client's, which `methods` and `serviceConfig` are held against; `undefined` where none are known.
 * @throws TypeError or Error that names the owner, the option and what is right, for wrong types and values, for
 * unknown options, and for ones that exclude each other.
 */
export function checkClientOptions(options: GrpcClientOptions, owner: Owner, rpcs?: readonly Rpc[]): void {
  checkOptions(options, owner, CLIENT_OPTIONS, rpcs);
  checkShared(options, owner);
}

/** The same for `createGrpcChannel`. */
export function checkChannelOptions(options: GrpcClientOptions, owner: Owner): void {
  checkOptions(options, owner, CHANNEL_OPTIONS, undefined);
}

/** The same for `configureGrpcClientDefaults`. */
export function checkDefaults(options: GrpcClientOptions, owner: Owner): void {
  checkOptions(options, owner, DEFAULT_OPTIONS, undefined);
  checkShared(options, owner);
}

/** Runs `check` and puts the owner before the message of what it throws. */
export function naming<T>(owner: Owner, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(`${owner}: `)) {
      throw error;
    }
    const message = `${owner}: ${error instanceof Error ? error.message : String(error)}`;
    throw error instanceof TypeError ? new TypeError(message) : new Error(message);
  }
}

const CHANNEL_OPTIONS = ['address', 'credentials', 'channelOptions', 'serviceConfig'];

const DEFAULT_OPTIONS = [
  ...CHANNEL_OPTIONS,
  'channel',
  'interceptors',
  'callCredentials',
  'unsafeUseInsecureChannelCallCredentials',
  'metadata',
  'timeoutMs',
  'waitForReady',
  'enableCallContextPropagation',
];

const CLIENT_OPTIONS = ['name', ...DEFAULT_OPTIONS, 'methods', 'createClient'];

function checkOptions(
  options: GrpcClientOptions,
  owner: Owner,
  known: readonly string[],
  rpcs: readonly Rpc[] | undefined,
): void {
  if (!isOptionsObject(options)) {
    throw new TypeError(
      `${owner}: options must be an object such as { address: 'https://users:50051' }, not ${describeValue(options)}`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) {
      const rule = known.includes(name)
        ? brokenRule(name, value, rpcs)
        : `unknown option "${name}"; there are ${known.join(', ')}`;
      if (rule !== undefined) {
        throw new TypeError(`${owner}: ${rule}`);
      }
    }
  }
  naming(owner, () => {
    if (options.metadata !== undefined) {
      toMetadata(options.metadata);
    }
    if (options.serviceConfig !== undefined) {
      checkServiceConfig(options.serviceConfig, rpcs);
      if (options.channelOptions?.['grpc.service_config'] !== undefined) {
        throw new Error(
          `serviceConfig and the channel option 'grpc.service_config' exclude each other: leave the latter out`,
        );
      }
    }
    if (options.address !== undefined && typeof options.address !== 'function') {
      checkAddress(options.address, options.credentials);
    }
  });
}

function checkShared(options: GrpcClientOptions, owner: Owner): void {
  const own = CHANNEL_OPTIONS.find((name) => options[name as keyof GrpcClientOptions] !== undefined);
  if (options.channel !== undefined && own !== undefined) {
    throw new Error(
      `${owner}: it has both channel and ${own}: pass ${own} to createGrpcChannel(container, '${options.channel}', { ... })`,
    );
  }
}

function brokenRule(name: string, value: unknown, rpcs: readonly Rpc[] | undefined): string | undefined {
  switch (name) {
    case 'name':
    case 'channel':
      return typeof value === 'string' && value !== ''
        ? undefined
        : `${name} must be a string that is not empty, not ${describeValue(value)}`;
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
    case 'interceptors':
      return brokenListRule(name, value, brokenInterceptorRule);
    case 'callCredentials':
      return brokenListRule(name, value, brokenCredentialsRule);
    case 'timeoutMs':
      return brokenTimeoutRule(name, value);
    case 'waitForReady':
    case 'unsafeUseInsecureChannelCallCredentials':
      return brokenBooleanRule(name, value);
    case 'methods':
      return brokenMethodsRule(value, rpcs);
    case 'enableCallContextPropagation':
      return brokenPropagationRule(value);
    case 'createClient':
      return typeof value === 'function' && !isIdentifier(value)
        ? undefined
        : `createClient must be a function (channel, container) => client, not ${describeValue(value)}`;
    default:
      return undefined; // metadata and serviceConfig, which have checks of their own
  }
}
