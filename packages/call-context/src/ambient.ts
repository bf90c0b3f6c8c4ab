import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallContext } from './call-context.js';
import { describeValue } from './describe-value.js';
import { callContextNotFound } from './errors.js';
import type { CallContextScope } from './scope.js';

const key: unique symbol = Symbol.for('@grpc-di/call-context@1') as never;

/** On `globalThis`, so that two installed copies of this package share it. */
const storage = ((globalThis as { [key]?: AsyncLocalStorage<CallContextScope | undefined> })[key] ??=
  new AsyncLocalStorage());

/** The context of the call that this code runs in; `undefined` when there is none, or when it has ended. */
export function currentCallContext(): CallContext | undefined {
  return currentScope()?.context;
}

/**
 * The context of the call that this code runs in.
 *
 * @throws CallContextNotFoundError when there is none, or when it has ended.
 */
export function requireCallContext(): CallContext {
  const scope = storage.getStore();
  if (scope === undefined || scope.hasEnded) {
    throw callContextNotFound(scope, 'No call context was found.');
  }
  return scope.context;
}

/** Runs `fn` with no call context: work that must outlive the call that starts it (an audit record, a cache refresh). */
export function runDetached<T>(fn: () => T): T {
  return storage.run(undefined, fn);
}

/**
 * `fn`, bound to the context that is current now: for connection pools, event emitters and callbacks that lose it.
 * Where there is no context now, it will run in none.
 */
export function bindCallContext<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  if (typeof fn !== 'function') {
    throw new TypeError(`bindCallContext(fn): fn must be a function, not ${describeValue(fn)}`);
  }
  const scope = storage.getStore();
  return function bound(this: unknown, ...args: A): R {
    return storage.run(scope, () => fn.apply(this, args));
  };
}

/** The innermost open or cancelled scope; an ended one is not found. */
export function currentScope(): CallContextScope | undefined {
  const scope = storage.getStore();
  return scope === undefined || scope.hasEnded ? undefined : scope;
}

/** The innermost scope, also when it has ended: for errors that tell the two apart. */
export function surroundingScope(): CallContextScope | undefined {
  return storage.getStore();
}

/** Runs `fn` in `scope`, or in no context. */
export function runInScope<A extends unknown[], R>(
  scope: CallContextScope | undefined,
  fn: (...args: A) => R,
  ...args: A
): R {
  return storage.run(scope, fn, ...args);
}
