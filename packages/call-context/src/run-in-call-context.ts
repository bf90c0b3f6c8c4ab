import { currentCallContext } from './ambient.js';
import type { CallContext } from './call-context.js';
import { describeValue } from './describe-value.js';
import { CallContextScope } from './scope.js';
import { type CallContextInit, unknownOption } from './scope-init.js';

/**
 * Opens a context inside the current one, runs `fn` in it (also when it is already cancelled), and ends it when `fn`
 * returns or throws, or when the thenable that it returned settles. Ending leaves child calls alone. Nothing waits for a
 * stream or a generator that `fn` returns: read it inside.
 *
 * For whatever starts calls without being a call: queue consumers, cron jobs, scripts; and for a tighter deadline
 * around a part of a handler.
 *
 * @example
 * await runInCallContext({ timeoutMs: 2_000 }, () => users.getUser({ id: '1' }));
 *
 * @returns what `fn` returned. Instead of a promise it is one that settles after the context has ended, so that an
 * unhandled rejection stays one; the same goes for a thenable, whose `then()` is called once: a query builder runs its query
 * when it is. A promise with more to it, such as the call of an injected client, is returned itself.
 * @throws TypeError for invalid `init`, before `fn` runs.
 */
export function runInCallContext<T>(init: CallContextInit, fn: (context: CallContext) => T): T {
  if (typeof init !== 'object' || init === null) {
    throw new TypeError(
      `runInCallContext(init, fn): init must be an object such as { timeoutMs: 2_000 }, not ${describeValue(init)}`,
    );
  }
  if (typeof fn !== 'function') {
    throw new TypeError(`runInCallContext(init, fn): fn must be a function, not ${describeValue(fn)}`);
  }
  for (const option of ['parent', 'name']) {
    if (option in init) {
      throw unknownOption(option);
    }
  }
  const parent = currentCallContext();
  const scope = new CallContextScope(parent === undefined ? init : { ...init, parent });
  try {
    return endWhenSettled(scope, scope.run(fn, scope.context));
  } catch (error) {
    scope.end();
    throw error;
  }
}

function endWhenSettled<T>(scope: CallContextScope, result: T): T {
  const end = (): void => scope.end();
  if (isExtendedPromise(result)) {
    result.then(end, end);
    return result;
  }
  if (isThenable(result)) {
    return scope.run(toPromise, result).finally(end) as T;
  }
  end();
  return result;
}

function isExtendedPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise && Object.getPrototypeOf(value) !== Promise.prototype;
}

/** Called in the context, as then() is what a query builder starts its query by. */
function toPromise<T>(thenable: PromiseLike<T>): Promise<T> {
  return Promise.resolve(thenable);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
  );
}
