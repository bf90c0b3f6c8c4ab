import type { Writable } from 'node:stream';
import { describeValue } from '@grpc-di/call-context/opener';
import type { ServerCallScope } from '../context/server-call-scope.js';

export type Responses = AsyncIterable<unknown> | Iterable<unknown>;

/** Whether a service method returned what a streaming rpc can send. */
export function isIterable(value: unknown): value is Responses {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/**
 * Writes all that a service method yields, no faster than the client reads. When the call is over before that, the
 * method's iterator is asked to return, so that the `finally` blocks of a generator run: at once when the call is
 * cancelled, whatever the iterator waits for.
 *
 * @throws what the method throws; TypeError for a response that is none.
 */
export async function sendResponses(responses: Responses, call: Writable, scope: ServerCallScope): Promise<void> {
  const iterator = Symbol.asyncIterator in responses ? responses[Symbol.asyncIterator]() : responses[Symbol.iterator]();
  const stopper = { onScopeCancelled: () => void scope.run(stop, iterator) };
  scope.subscribe(stopper);
  try {
    for await (const response of { [Symbol.asyncIterator]: () => iterator as AsyncIterator<unknown> }) {
      checkResponse(response, scope.method);
      scope.headersSent = true;
      if (!call.destroyed && !call.write(response)) {
        await drained(call);
      }
      if (call.destroyed) {
        break;
      }
    }
  } finally {
    scope.unsubscribe(stopper);
  }
}

/** @throws TypeError for what a method without a return statement returns. */
export function checkResponse(response: unknown, method: string): void {
  if (response === undefined || response === null) {
    throw new TypeError(`${method} responded with ${describeValue(response)} instead of a message`);
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
