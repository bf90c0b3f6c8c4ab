import {
  type CallCredentials,
  type Channel,
  type ChannelCredentials,
  type ChannelOptions,
  type Interceptor,
  Metadata,
} from '@grpc/grpc-js';
import type { Container, ServiceIdentifier } from 'inversify';
import { toMetadata } from '../call/call-metadata.js';
import type { CallCredentialsFunction, CallCredentialsSource } from '../channel/provided-credentials.js';
import type { ServiceConfig } from '../channel/service-config.js';
import type { CallContextPropagationOptions } from '../propagation/propagation-options.js';

/** A gRPC target (`dns:users:50051`, `unix:/run/users.sock`), or an http(s) URL, which also picks the credentials. */
export type Address = string | URL;

/** How a channel is made. */
export interface GrpcChannelOptions {
  /** Where the service is; a function is called once, at the first use. */
  address?: Address | ((container: Container) => Address);
  /** Needed for a target that is neither an http(s) URL nor on this machine (loopback, unix sockets). */
  credentials?: ChannelCredentials;
  /** grpc-js's channel options; merged over those of earlier registrations of the same name, key by key. */
  channelOptions?: ChannelOptions;
  /** Retries, hedging, load balancing and more, for all calls on the channel. */
  serviceConfig?: ServiceConfig;
}

export interface GrpcClientOptions extends GrpcChannelOptions {
  /**
   * The registration's name. Default: the protobuf service's full name, such as `users.v1.Users`. Clients under other
   * names are injected with `@named(name)`.
   */
  name?: string;
  /** The name of a channel that `createGrpcChannel` registered, to use instead of one of the client's own. */
  channel?: string;
  /**
   * Interceptors of grpc-js, functions or objects from the container. The first is the outermost; a later registration's
   * come after an earlier one's, and a call's own `interceptors` outside all of them.
   */
  interceptors?: readonly InterceptorRegistration[];
  /**
   * Credentials that every call gets, besides its own and the channel's: grpc-js's, functions, or identifiers of objects
   * with a `getMetadata`, resolved for each created client. On an insecure channel they are an error at the first use.
   */
  callCredentials?: ReadonlyArray<CallCredentials | CallCredentialsProvider>;
  /** Call credentials are sent in clear text on an insecure channel. Default `false`. */
  unsafeUseInsecureChannelCallCredentials?: boolean;
  /** Sent with every call; never overrides or adds to a key that the call sets. */
  metadata?: Metadata | Record<string, string>;
  /** Milliseconds; for calls that set neither `deadline` nor `timeoutMs`. Default: no deadline. */
  timeoutMs?: number;
  /** Whether calls wait for a connection that cannot be made now instead of failing with UNAVAILABLE. Default `false`. */
  waitForReady?: boolean;
  /** `timeoutMs` and `waitForReady` of single rpcs, by the method's name in the class or in the .proto. */
  methods?: Record<string, MethodDefaults>;
  /** Whether calls inherit the deadline and the cancellation of the call that they are made in. Default `false`. */
  enableCallContextPropagation?: boolean | CallContextPropagationOptions;
  /**
   * Makes the client, on a channel that brings all of this registration's options to every call. Default: an instance of
   * the generated class. Called for each object that is injected. On that channel interceptors see messages as bytes,
   * and a call's own deadline of `Infinity` is none: it does not switch `timeoutMs` off.
   */
  createClient?: (channel: Channel, container: Container) => object;
}

/** What the calls of one rpc have, unless they say otherwise; `Infinity` switches the client's `timeoutMs` off. */
export interface MethodDefaults {
  timeoutMs?: number;
  waitForReady?: boolean;
}

/** An injectable class of interceptors. */
export interface GrpcInterceptor {
  intercept: Interceptor;
}

/**
 * A function, or an object from the container. Scope `channel` (default): resolved once, from the container of the
 * registration, at the first use. Scope `client`: resolved for each created client, from the container that asks and
 * with its request scope; these stand outside the ones of scope `channel`.
 */
export type InterceptorRegistration =
  | Interceptor
  | { interceptor: Interceptor | ServiceIdentifier<GrpcInterceptor>; scope?: 'channel' | 'client' };

/** A function, or the identifier of an object with a `getMetadata`. */
export type CallCredentialsProvider = CallCredentialsFunction | ServiceIdentifier<CallCredentialsSource>;

/**
 * The later registration's keys win; objects of keys merge, and lists append. Neither is changed, and what becomes of
 * them afterwards does not show in the result.
 */
export function mergeClientOptions(earlier: GrpcClientOptions, later: GrpcClientOptions): GrpcClientOptions {
  const merged: GrpcClientOptions = { ...earlier };
  for (const name of Object.keys(later) as Array<keyof GrpcClientOptions>) {
    if (later[name] !== undefined) {
      (merged as Record<string, unknown>)[name] = mergeOption(name, earlier[name], later[name]);
    }
  }
  return merged;
}

function mergeOption(name: string, earlier: unknown, later: unknown): unknown {
  switch (name) {
    case 'channelOptions':
      return mergeKeys(earlier as object | undefined, later as object);
    case 'interceptors':
      return [...((earlier as unknown[] | undefined) ?? []), ...(later as InterceptorRegistration[]).map(copyOf)];
    case 'callCredentials':
      return [...((earlier as unknown[] | undefined) ?? []), ...(later as unknown[])];
    case 'metadata':
      return mergeMetadata(earlier as GrpcClientOptions['metadata'], later as Metadata);
    case 'methods':
      return mergeMethods(earlier as GrpcClientOptions['methods'], later as Record<string, MethodDefaults>);
    case 'enableCallContextPropagation':
      return typeof later === 'object' ? mergeKeys(typeof earlier === 'object' ? earlier : undefined, later!) : later;
    case 'serviceConfig':
      return structuredClone(later);
    default:
      return later;
  }
}

function mergeMethods(
  earlier: Record<string, MethodDefaults> = {},
  later: Record<string, MethodDefaults>,
): Record<string, MethodDefaults> {
  const merged = { ...earlier };
  for (const [method, defaults] of Object.entries(later)) {
    merged[method] = mergeKeys(merged[method], defaults);
  }
  return merged;
}

/** As with the options themselves, a key that the later one has as `undefined` stays what it was. */
function mergeKeys<T extends object>(earlier: T | null | undefined, later: T): T {
  const given = Object.entries(later).filter(([, value]) => value !== undefined);
  return { ...earlier, ...Object.fromEntries(given) } as T;
}

function copyOf(registration: InterceptorRegistration): InterceptorRegistration {
  return typeof registration === 'object' ? { ...registration } : registration;
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
