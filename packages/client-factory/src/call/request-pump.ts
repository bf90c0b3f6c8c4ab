import type { Writable } from 'node:stream';
import { cancelCall, type SurfaceCall } from './cancelling.js';

/** Where requests go: the two kinds of call that take them differ in no more. */
export interface RequestSink {
  /** Resolves when there may be another; rejects, or throws, when there may not. */
  send(message: unknown): Promise<void> | void;
  end(): void;
}

/** The requests of a bidirectional call. */
export function sinkOf(stream: Writable): RequestSink {
  return {
    send: (message) => (stream.write(message) ? undefined : drained(stream)),
    end: () => {
      stream.end();
    },
  };
}

/**
 * Sends what an iterable yields, no faster than the transport takes it, and then half-closes. When the call ends before,
 * the iterable is asked to return, once, also where it is being waited for. What the iterable throws cancels the call.
 */
export async function pumpRequests(
  requests: AsyncIterable<unknown> | Iterable<unknown>,
  sink: RequestSink,
  surface: SurfaceCall,
): Promise<void> {
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  const giveBack = (): void => {
    const unfinished = iterator;
    iterator = undefined;
    if (unfinished !== undefined) {
      void returnQuietly(unfinished);
    }
  };
  void surface.outcome.status.then(giveBack);
  try {
    const isAsync = Symbol.asyncIterator in requests;
    iterator = isAsync ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
    while (iterator !== undefined) {
      let next: IteratorResult<unknown>;
      try {
        // Waiting costs more than the rest of it, so only for what may have to be waited for.
        next = isAsync ? await iterator.next() : (iterator as Iterator<unknown>).next();
      } catch (error) {
        // An iterator that throws is over, and not to be returned.
        iterator = undefined;
        throw error;
      }
      if (next.done) {
        iterator = undefined;
        sink.end();
      } else if (!surface.outcome.hasEnded) {
        const sent = sink.send(next.value);
        if (sent !== undefined) {
          await sent;
        }
      }
    }
  } catch (error) {
    giveBack();
    cancelCall(surface, error);
  }
}

/** What an iterator throws on being returned concerns nobody: its call is over. */
async function returnQuietly(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}

function drained(writable: Writable): Promise<void> {
  return new Promise((resolve) => {
    writable.once('drain', resolve);
  });
}
