import type { Writable } from 'node:stream';
import type { ServerCallScope } from '../context/server-call-scope.js';

type Responses = AsyncIterable<unknown> | Iterable<unknown>;

/** Whether a service method returned what a streaming rpc can send. */
export function isIterable(value: unknown): value is Responses {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/**
 * Writes all that a service method yields, no faster than the client reads. When the call is cancelled the method's
 * iterator is asked to return, so that the `finally` blocks of a generator run.
 *
 * @throws what the method throws.
 */
export async function sendResponses(responses: Responses, call: Writable, scope: ServerCallScope): Promise<void> {
  const iterator = Symbol.asyncIterator in responses ? responses[Symbol.asyncIterator]() : responses[Symbol.iterator]();
  const stopper = { onScopeCancelled: () => void stop(iterator) };
  scope.subscribe(stopper);
  try {
    for (let next = await iterator.next(); !next.done && !call.destroyed; next = await iterator.next()) {
      scope.headersSent = true;
      if (!call.write(next.value)) {
        await drained(call);
      }
    }
  } finally {
    scope.unsubscribe(stopper);
  }
}

/** What a method throws on being stopped concerns nobody: its call is over. */
async function stop(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}

/** The client has read enough for the next write, or reads no more. */
function drained(call: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done).off('close', done);
      resolve();
    };
    call.on('drain', done).on('close', done);
  });
}
