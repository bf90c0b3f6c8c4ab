import { CallCredentials, type Interceptor } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { ResolvedValueInjectOptions, ServiceIdentifier } from 'inversify';
import type { CallCredentialsSource, ClientCredentials } from '../channel/provided-credentials.js';
import type { GrpcClientOptions, GrpcInterceptor, InterceptorRegistration } from './client-options.js';

// Options may hold objects themselves, or what the container has them under.

/** Objects of the container that one created client is made with, by identifier. */
export type Parts = ReadonlyMap<ServiceIdentifier, unknown>;

/** Plain functions are meant themselves; a class is an identifier. */
export function isIdentifier(value: unknown): value is ServiceIdentifier<never> {
  return typeof value === 'string' || typeof value === 'symbol' || isClass(value);
}

/** What is resolved anew for each created client. */
export function partsPerClient(options: GrpcClientOptions): Set<ServiceIdentifier> {
  return new Set([
    ...interceptorIdentifiers(options, 'client'),
    ...(options.callCredentials ?? []).filter(isIdentifier),
  ]);
}

/** What is resolved once, at the first use. */
export function partsPerChannel(options: GrpcClientOptions): Set<ServiceIdentifier> {
  return new Set(interceptorIdentifiers(options, 'channel'));
}

/** The interceptors of a scope, outermost first. @throws TypeError for an object of the container that is none. */
export function interceptorsOf(options: GrpcClientOptions, ofScope: 'channel' | 'client', parts: Parts): Interceptor[] {
  return (options.interceptors ?? []).map(scoped).flatMap(({ interceptor, scope }) => {
    if (scope !== ofScope) {
      return [];
    }
    return isIdentifier(interceptor) ? [interceptorOf(interceptor, parts)] : [interceptor as Interceptor];
  });
}

/** @throws TypeError for an object of the container that is no source of credentials. */
export function callCredentialsOf(options: GrpcClientOptions, parts: Parts): ClientCredentials[] {
  return (options.callCredentials ?? []).map((provider) =>
    isIdentifier(provider) ? sourceOf(provider, parts) : (provider as ClientCredentials),
  );
}

/** Injects what there is, or `undefined`: what is missing is our error to word. inversify's types want to know `T`. */
export function optional(serviceIdentifier: ServiceIdentifier): ResolvedValueInjectOptions<unknown> {
  return { serviceIdentifier, optional: true } as ResolvedValueInjectOptions<unknown>;
}

/** As code: `AuthInterceptor`, `'auth'`, `Symbol(auth)`. */
export function identifierInWords(identifier: ServiceIdentifier): string {
  return typeof identifier === 'function' ? identifier.name : describeValue(identifier);
}

function interceptorIdentifiers(options: GrpcClientOptions, ofScope: 'channel' | 'client'): ServiceIdentifier[] {
  return (options.interceptors ?? []).map(scoped).flatMap(({ interceptor, scope }) => {
    return scope === ofScope && isIdentifier(interceptor) ? [interceptor] : [];
  });
}

function scoped(registration: InterceptorRegistration): {
  interceptor: Interceptor | ServiceIdentifier<GrpcInterceptor>;
  scope: 'channel' | 'client';
} {
  return typeof registration === 'object'
    ? { interceptor: registration.interceptor, scope: registration.scope ?? 'channel' }
    : { interceptor: registration, scope: 'channel' };
}

function interceptorOf(identifier: ServiceIdentifier, parts: Parts): Interceptor {
  const object = parts.get(identifier) as Partial<GrpcInterceptor> | undefined;
  if (typeof object?.intercept !== 'function') {
    throw new TypeError(
      `the container has ${describeValue(object)} as interceptor ${identifierInWords(identifier)}: it needs a method ` +
        'intercept(options, nextCall)',
    );
  }
  return (options, nextCall) => object.intercept!(options, nextCall);
}

function sourceOf(identifier: ServiceIdentifier, parts: Parts): ClientCredentials {
  const object = parts.get(identifier) as Partial<CallCredentialsSource> | CallCredentials | undefined;
  if (object instanceof CallCredentials) {
    return object;
  }
  if (typeof object?.getMetadata !== 'function') {
    throw new TypeError(
      `the container has ${describeValue(object)} as call credentials ${identifierInWords(identifier)}: it needs a method ` +
        'getMetadata({ serviceUrl, method, signal, deadline })',
    );
  }
  return (request) => object.getMetadata!(request);
}

function isClass(value: unknown): boolean {
  return (
    typeof value === 'function' &&
    (/^class\b/.test(Function.prototype.toString.call(value)) ||
      // What a compiler makes of a class for old targets.
      Object.getOwnPropertyNames((value.prototype ?? {}) as object).some((name) => name !== 'constructor'))
  );
}
