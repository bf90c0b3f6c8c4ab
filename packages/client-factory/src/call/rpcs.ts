import { Client, type MethodDefinition } from '@grpc/grpc-js';

/** One rpc of a generated client class. */
export interface Rpc {
  /** The method's name in the class. */
  readonly name: string;
  /** Such as `/users.v1.Users/GetUser`. */
  readonly path: string;
  /** The method of grpc-js's `Client` that makes its calls. */
  readonly make: 'makeUnaryRequest' | 'makeServerStreamRequest' | 'makeClientStreamRequest' | 'makeBidiStreamRequest';
  /** What grpc-js's `makeClientConstructor` left on the method; `undefined` for a class with methods of its own. */
  readonly definition: MethodDefinition<unknown, unknown> | undefined;
}

const MAKERS = [
  'makeUnaryRequest',
  'makeServerStreamRequest',
  'makeClientStreamRequest',
  'makeBidiStreamRequest',
] as const satisfies ReadonlyArray<Rpc['make']>;

/**
 * The rpcs of a generated client class, of any generator. Methods that grpc-js wrote (ts-proto, proto-loader,
 * grpc-tools) carry their definition; protobuf-ts writes methods that call one of the four makers, which says
 * the same when a probe answers for the makers.
 */
export function rpcsOf(Generated: { readonly prototype: unknown }): Rpc[] {
  const prototype = Generated.prototype as Record<string, unknown>;
  return methodNames(prototype).flatMap((name) => {
    const method = prototype[name];
    const rpc = hasDefinition(method) ? definedRpc(name, method) : probedRpc(name, method as AnyFunction, prototype);
    return rpc === undefined ? [] : [rpc];
  });
}

/** The protobuf service's full name, such as `users.v1.Users`. */
export function serviceNameOf(rpcs: readonly Rpc[]): string | undefined {
  return rpcs[0]?.path.split('/')[1];
}

/** Whether `method` names the rpc, as its class spells it or as the .proto does. */
export function isMethodName(method: string, { name, path }: Pick<Rpc, 'name' | 'path'>): boolean {
  return method === name || method === shortNameOf(path);
}

/** `GetUser` of `/users.v1.Users/GetUser`. */
export function shortNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

type AnyFunction = (...args: never[]) => unknown;

function methodNames(prototype: object): string[] {
  const names = new Set<string>();
  for (let level = prototype; level !== Client.prototype && level !== null; level = Object.getPrototypeOf(level)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && name !== 'constructor') {
        names.add(name);
      }
    }
  }
  return [...names];
}

function hasDefinition(method: unknown): method is AnyFunction & MethodDefinition<unknown, unknown> {
  return typeof (method as Partial<MethodDefinition<unknown, unknown>>).path === 'string';
}

function definedRpc(name: string, method: MethodDefinition<unknown, unknown>): Rpc {
  const { path, requestStream, responseStream } = method;
  const make = requestStream
    ? responseStream
      ? 'makeBidiStreamRequest'
      : 'makeClientStreamRequest'
    : responseStream
      ? 'makeServerStreamRequest'
      : 'makeUnaryRequest';
  return { name, path, make, definition: { ...method } };
}

/** Only methods that name a maker are run: one that a user added may do anything. */
function probedRpc(name: string, method: AnyFunction, prototype: object): Rpc | undefined {
  const source = Function.prototype.toString.call(method);
  if (!MAKERS.some((make) => source.includes(make))) {
    return undefined;
  }
  let rpc: Rpc | undefined;
  const probe = Object.create(prototype) as Record<string, unknown>;
  for (const make of MAKERS) {
    probe[make] = (path: unknown) => {
      rpc = typeof path === 'string' ? { name, path, make, definition: undefined } : undefined;
    };
  }
  try {
    method.call(probe as never);
  } catch {
    // A method that needs more than the makers is no rpc.
  }
  return rpc;
}
