import type { Readable } from 'node:stream';
import type { CallContextScope } from '@grpc-di/call-context/opener';
import { endConfirmed } from './end-confirmation.js';

/**
 * The requests of a client streaming or bidirectional call, as what a service method loops over.
 *
 * Leaving the loop early must not destroy the call, as the stream's default iterator does: the client of a bidi call
 * would wait for ever (grpc-node #1839). And a cancelled call's requests end before it says 'cancelled' (grpc-node
 * #2583), but a half-sent upload must not look like a whole one: nor to a second loop, which goes on where the first
 * one left.
 *
 * @throws CallCancelledError into the loop when the call was cancelled before its last request.
 */
export function requestsOf<Request>(call: Readable, scope: CallContextScope): AsyncIterable<Request> {
  return { [Symbol.asyncIterator]: () => iterate(call, scope) };
}

async function* iterate<Request>(call: Readable, scope: CallContextScope): AsyncGenerator<Request, void> {
  try {
    yield* call.iterator({ destroyOnReturn: false }) as AsyncIterable<Request>;
  } catch (error) {
    throw scope.reason ?? error;
  }
  await endConfirmed(call, scope);
  if (scope.isCancelled) {
    throw scope.reason!;
  }
}
