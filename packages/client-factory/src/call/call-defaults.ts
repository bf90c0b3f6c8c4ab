import type { Interceptor, Metadata } from '@grpc/grpc-js';
import { type DefaultMetadata, toMetadata } from './call-metadata.js';
import { isMethodName, type Rpc, shortNameOf } from './rpcs.js';

/** What every call of a client has, unless it says otherwise. */
export interface CallDefaults extends RpcDefaults {
  readonly metadata: DefaultMetadata | undefined;
  /** What single rpcs have instead, by path, or where the client's rpcs are not known by capitalized name. */
  readonly methods: ReadonlyMap<string, RpcDefaults> | undefined;
  /** The outermost first; a call's own ones stand outside of them. */
  readonly interceptors: readonly Interceptor[] | undefined;
}

export interface RpcDefaults {
  /** For calls that set neither deadline nor timeoutMs; `undefined` for none. */
  readonly timeoutMs: number | undefined;
  readonly waitForReady: boolean | undefined;
}

/** The defaults of a client, from its options, which have been checked. */
export function callDefaults(
  options: {
    metadata?: Metadata | Record<string, string> | undefined;
    timeoutMs?: number | undefined;
    waitForReady?: boolean | undefined;
    methods?: Record<string, Partial<RpcDefaults>> | undefined;
  },
  rpcs: readonly Rpc[] | undefined,
): CallDefaults {
  const values = options.metadata === undefined ? undefined : toMetadata(options.metadata).clone();
  const { timeoutMs, waitForReady } = options;
  return {
    metadata: values === undefined ? undefined : { names: Object.keys(values.toJSON()), values },
    timeoutMs,
    waitForReady,
    methods: options.methods === undefined ? undefined : byPath(options.methods, { timeoutMs, waitForReady }, rpcs),
    interceptors: undefined,
  };
}

/** What the calls of one rpc have. */
export function defaultsFor(path: string, defaults: CallDefaults): RpcDefaults {
  const { methods } = defaults;
  return methods === undefined
    ? defaults
    : (methods.get(path) ?? methods.get(capitalized(shortNameOf(path))) ?? defaults);
}

function byPath(
  methods: Record<string, Partial<RpcDefaults>>,
  client: RpcDefaults,
  rpcs: readonly Rpc[] | undefined,
): ReadonlyMap<string, RpcDefaults> {
  const found = new Map<string, RpcDefaults>();
  for (const [method, { timeoutMs, waitForReady }] of Object.entries(methods)) {
    const paths = rpcs?.filter((rpc) => isMethodName(method, rpc)).map(({ path }) => path) ?? [capitalized(method)];
    for (const path of paths) {
      const earlier = found.get(path) ?? client;
      found.set(path, {
        timeoutMs: timeoutMs ?? earlier.timeoutMs,
        waitForReady: waitForReady ?? earlier.waitForReady,
      });
    }
  }
  return found;
}

/** A class has `getUser` for what is `GetUser` in the .proto. */
function capitalized(method: string): string {
  return method.charAt(0).toUpperCase() + method.slice(1);
}
