import type { CallOptions, CallProperties, Interceptor, InterceptorProvider, Metadata } from '@grpc/grpc-js';
import type { ClientChannel } from '../channel/client-channel.js';
import { type Audience, Invocation } from '../propagation/invocation.js';
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

/** grpc-js's call options, and what {@link swapIn} needs: nothing else gets from here to there. */
export type StartOptions = CallOptions & { [invocationKey]: Invocation };

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
  first: unknown,
  second: unknown,
  third: unknown,
  fourth: unknown,
): PreparedCall {
  const read = readArguments(kind, method, first, second, third, fourth);
  const { options = NO_OPTIONS } = read;
  checkCallOptions(options, method);
  const ownDeadline = deadlineOf(options, method);
  const parents = options.enableCallContextPropagation === false ? undefined : channel.parents;
  const parent = parents?.find(method);
  const { timeoutMs, waitForReady } = defaultsFor(method, defaults);
  const deadline = ownDeadline ?? (timeoutMs === undefined ? Infinity : Date.now() + timeoutMs);
  read.metadata = callMetadata(
    read.metadata,
    options,
    defaults.metadata,
    waitForReady,
    parent,
    parents?.policy,
    method,
  );
  const invocation = new Invocation(
    channel,
    parent,
    parents?.policy,
    options.signal,
    deadline,
    ownDeadline === undefined,
    audienceOf(kind, read),
  );
  read.options = startOptions(invocation, options, defaults.interceptors);
  return read as PreparedCall;
}

function audienceOf(kind: CallKind, { callback }: CallArguments): Audience {
  if (kind === 'serverStream' || kind === 'bidi') {
    return 'listeners';
  }
  return callback === undefined ? 'promise' : 'callback';
}

/** Few of them where there are few: grpc-js copies them. */
function startOptions(
  invocation: Invocation,
  options: GrpcCallOptions,
  ofClient: readonly Interceptor[] | undefined,
): StartOptions {
  const { deadline } = invocation;
  if (options === NO_OPTIONS && ofClient === undefined) {
    return { deadline, [invocationKey]: invocation };
  }
  const interceptors = ownAndClients(options, ofClient);
  const providers = ownAndClientsProviders(options, ofClient);
  if (isGiven(interceptors) || isGiven(providers)) {
    invocation.audience = 'listeners';
  }
  return {
    deadline,
    host: options.host,
    parent: options.parent,
    propagate_flags: options.propagate_flags,
    credentials: options.credentials,
    interceptors,
    interceptor_providers: providers,
    [invocationKey]: invocation,
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

/** Has the call represented by `surface` instead of grpc-js's own object. */
export function representedBy<Surface extends SurfaceCall>(surface: Surface, options: StartOptions): Surface {
  const invocation = options[invocationKey];
  surface.invocation = invocation;
  invocation.surface = surface;
  return surface;
}

/** grpc-js's hook before it makes a call: the invocation becomes the call's channel, our call object the call's. */
export function swapIn(properties: CallProperties<unknown, unknown>): CallProperties<unknown, unknown> {
  const invocation = (properties.callOptions as Partial<StartOptions>)[invocationKey];
  if (invocation === undefined) {
    return properties;
  }
  properties.channel = invocation;
  if (invocation.surface !== undefined) {
    properties.call = invocation.surface as unknown as typeof properties.call;
    invocation.surface = undefined;
  } else if (invocation.audience === 'listeners') {
    // Of a call that grpc-js's own object stands for, those are interceptors.
    cancelEveryAttempt(properties.call, invocation);
  }
  return properties;
}
