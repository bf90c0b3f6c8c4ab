import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { Container, Newable } from 'inversify';
import type { ServerCallContext } from '../context/server-call-context.js';
import { type HostedMethod, handlerOf } from './handler.js';

export interface GrpcServiceOptions {
  /**
   * Hears of every error that a method throws and that is no gRPC status; the client only learns UNKNOWN. Default:
   * `console.error`.
   */
  onError?: (error: unknown, context: ServerCallContext) => void;
}

/**
 * Serves a gRPC service from an injectable class whose methods are async functions and async generators
 * ({@link GrpcService}). The class is resolved from the container for every call, inside the call's context: a
 * request-scoped binding is fresh per call, a singleton stays one, and a class that is not bound is bound to itself.
 *
 * A method that throws `{ code, details }` (a `ServiceError`) answers with that status; a `CallCancelledError` with its
 * code; anything else goes to `onError`, and the client gets UNKNOWN. An rpc that the class does not have is
 * UNIMPLEMENTED.
 *
 * It works with and without `callContextInterceptor()`.
 *
 * @example
 * addGrpcService(server, container, UsersService, Users);
 *
 * @throws TypeError for arguments that are not what they should be; Error when the server already has the service.
 */
export function addGrpcService(
  server: Server,
  container: Container,
  service: ServiceDefinition,
  implementation: Newable<object>,
  options: GrpcServiceOptions = {},
): void {
  checkArguments(server, container, service, implementation, options);
  const handlers: UntypedServiceImplementation = {};
  for (const [name, definition] of Object.entries(service)) {
    const method: HostedMethod = {
      definition,
      names: methodNames(name, definition.originalName),
      resolve: () => resolve(container, implementation),
      onError: (error, context) => (options.onError ?? logError)(error, context),
    };
    handlers[name] = handlerOf(method);
  }
  checkMethods(service, implementation);
  server.addService(service, handlers);
}

/** Not by `autobind`: it would also make up whatever the class depends on and somebody forgot to bind. */
function resolve(container: Container, implementation: Newable<object>): object {
  if (!container.isBound(implementation)) {
    container.bind(implementation).toSelf();
  }
  return container.get(implementation);
}

/** proto-loader writes `GetUser` with the original name `getUser`; protobuf's own spelling is upper case. */
function methodNames(name: string, originalName: string | undefined): string[] {
  const camelCase = name.charAt(0).toLowerCase() + name.slice(1);
  return [...new Set([name, originalName ?? camelCase, camelCase])];
}

function logError(error: unknown, context: ServerCallContext): void {
  console.error(`${context.method} failed:`, error);
}

function checkArguments(
  server: Server,
  container: Container,
  service: ServiceDefinition,
  implementation: Newable<object>,
  options: GrpcServiceOptions,
): void {
  check(typeof server?.addService === 'function', 'server must be a Server of @grpc/grpc-js', server);
  check(typeof container?.get === 'function', 'container must be an inversify Container', container);
  check(
    isObject(service) && Object.values(service).some((method) => typeof method?.path === 'string'),
    'service must be a service definition, such as the UsersService that ts-proto generates or the .service of a client class',
    service,
  );
  check(
    typeof implementation === 'function' && isObject(implementation.prototype),
    'implementation must be a class',
    implementation,
  );
  check(isObject(options), 'options must be an object', options);
  for (const option of Object.keys(options)) {
    check(option === 'onError', `unknown option "${option}"; it takes onError`);
  }
  check(
    options.onError === undefined || typeof options.onError === 'function',
    'onError must be a function',
    options.onError,
  );
}

/** A class with methods, none of which is an rpc, is the wrong class; one with function properties cannot be told. */
function checkMethods(service: ServiceDefinition, implementation: Newable<object>): void {
  const methods = Object.getOwnPropertyNames(implementation.prototype).filter((name) => name !== 'constructor');
  const rpcs = Object.entries(service).flatMap(([name, definition]) => methodNames(name, definition.originalName));
  check(
    methods.length === 0 || rpcs.some((name) => name in (implementation.prototype as object)),
    `${implementation.name} has none of the service's methods (${Object.keys(service).join(', ')}): did you mean another class?`,
  );
}

function check(valid: boolean, rule: string, ...wrong: [value?: unknown]): void {
  if (!valid) {
    throw new TypeError(`addGrpcService: ${rule}${wrong.length === 0 ? '' : `, not ${describeValue(wrong[0])}`}`);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
