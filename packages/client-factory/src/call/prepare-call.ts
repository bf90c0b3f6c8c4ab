import type { CallOptions, CallProperties, Interceptor, InterceptorProvider, Metadata } from '@grpc/grpc-js';
import type { ClientChannel } from '../channel/client-channel.js';
import { Invocation } from '../propagation/invocation.js';
import { type CallArguments, type CallKind, readArguments } from './call-arguments.js';
import { type CallDefaults, defaultsFor } from './call-defaults.js';
import { callMetadata } from './call-metadata.js';
import { checkCallOptions, deadlineOf } from './call-options.js';
import type { GrpcCallOptions } from './calls.js';
import { cancelEveryAttempt, type SurfaceCall } from './cancelling.js';

/** A call that is ready for grpc-js to start. */
export interface PreparedCall extends Pick<CallArguments, 'request' | 'requests' | 'callback'> {
  metadata: Metadata;
  options: StartOptions;
}

const NO_OPTIONS: GrpcCallOptions = Object.freeze({});

const invocationKey = Symbol('grpc-di invocation');
const surfaceKey = Symbol('grpc-di call object');

/** grpc-js's call options, and what {@link swapIn} needs: nothing else gets from here to there. */
export type StartOptions = CallOptions & { [invocationKey]?: Invocation; [surfaceKey]?: SurfaceCall };

/**
 * Reads and checks what the caller passed, finds the call's parent and settles deadline and metadata: all that can go
 * wrong at the call site does so here, before anything was made.
 *
 * @throws TypeError for invalid arguments and options; CallContextNotFoundError where the client wants a context and
 * there is none.
 */
export function prepareCall(
  kind: CallKind,
  channel: ClientChannel,
  defaults: CallDefaults,
  method: string,
  args: readonly unknown[],
): PreparedCall {
  const { request, requests, metadata, options = NO_OPTIONS, callback } = readArguments(kind, method, args);
  checkCallOptions(options, method);
  const ownDeadline = deadlineOf(options, method);
  const parent = options.enableCallContextPropagation === false ? undefined : channel.parents?.find(method);
  const { timeoutMs, waitForReady } = defaultsFor(method, defaults);
  const deadline = ownDeadline ?? (timeoutMs === undefined ? Infinity : Date.now() + timeoutMs);
  const invocation = new Invocation(channel, parent, options.signal, deadline, ownDeadline === undefined);
  return {
    request,
    requests,
    callback,
    metadata: callMetadata(metadata, options, defaults.metadata, waitForReady, parent, method),
    options: {
      deadline,
      host: options.host,
      parent: options.parent,
      propagate_flags: options.propagate_flags,
      credentials: options.credentials,
      interceptors: ownAndClients(options, defaults.interceptors),
      interceptor_providers: ownAndClientsProviders(options, defaults.interceptors),
      [invocationKey]: invocation,
    },
  };
}

/** The call's own stand outside: grpc-js alone lets them replace the client's. */
function ownAndClients(
  { interceptors, interceptor_providers: providers }: GrpcCallOptions,
  clients: readonly Interceptor[] | undefined,
): Interceptor[] | undefined {
  if (clients === undefined || isGiven(providers)) {
    return interceptors;
  }
  return isGiven(interceptors) ? [...interceptors, ...clients] : (clients as Interceptor[]);
}

/** A call may have interceptors or providers of them, and not both. */
function ownAndClientsProviders(
  { interceptor_providers: providers }: GrpcCallOptions,
  clients: readonly Interceptor[] | undefined,
): InterceptorProvider[] | undefined {
  return clients === undefined || !isGiven(providers)
    ? providers
    : [...providers, ...clients.map((interceptor) => () => interceptor)];
}

function isGiven<T>(list: readonly T[] | undefined): list is readonly T[] {
  return list !== undefined && list.length > 0;
}

function hasInterceptors({ interceptors, interceptor_providers: providers }: CallOptions): boolean {
  return isGiven(interceptors) || isGiven(providers);
}

/** Has the call represented by `surface` instead of grpc-js's own object. */
export function representedBy<Surface extends SurfaceCall>(surface: Surface, options: StartOptions): Surface {
  surface.invocation = options[invocationKey];
  options[surfaceKey] = surface;
  return surface;
}

/** grpc-js's hook before it makes a call: the invocation becomes the call's channel, our call object the call's. */
export function swapIn(properties: CallProperties<unknown, unknown>): CallProperties<unknown, unknown> {
  const { [invocationKey]: invocation, [surfaceKey]: surface } = properties.callOptions as StartOptions;
  if (invocation !== undefined) {
    properties.channel = invocation;
  }
  if (surface !== undefined) {
    properties.call = surface as unknown as typeof properties.call;
  } else if (invocation !== undefined && hasInterceptors(properties.callOptions)) {
    cancelEveryAttempt(properties.call, invocation);
  }
  return properties;
}
