import { Writable } from 'node:stream';
import { cancelCall, type SurfaceCall } from './cancelling.js';

/** Write flags of gRPC travel as the stream's encoding, as in grpc-js. */
export function sendRequest(
  call: SurfaceCall['call'],
  message: unknown,
  encoding: string,
  written: (error?: Error | null) => void,
): void {
  const flags = Number(encoding);
  call?.sendMessageWithContext(Number.isNaN(flags) ? { callback: written } : { callback: written, flags }, message);
}

/** The requests of a client streaming call in the promise form. */
export class RequestWriter extends Writable {
  constructor(private readonly surface: SurfaceCall) {
    super({ objectMode: true });
    // Its errors reach whoever sends, by the callbacks of the writes.
    this.on('error', ignore);
  }

  override _write(message: unknown, encoding: string, written: (error?: Error | null) => void): void {
    sendRequest(this.surface.call, message, encoding, written);
  }

  override _final(finished: () => void): void {
    this.surface.call?.halfClose();
    finished();
  }
}

/**
 * Sends what an iterable yields, no faster than the transport takes it, and then half-closes. When the call ends
 * before, the iterable is asked to return; when the iterable throws, the call is cancelled for that reason.
 */
export async function pumpRequests(
  requests: AsyncIterable<unknown> | Iterable<unknown>,
  writable: Writable,
  surface: SurfaceCall,
): Promise<void> {
  const { outcome } = surface;
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  const callEnded = outcome.status.then(() => (iterator === undefined ? undefined : returnQuietly(iterator)));
  try {
    iterator = Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
    for (let next = await iterator.next(); !next.done && !outcome.hasEnded; next = await iterator.next()) {
      if (!writable.write(next.value)) {
        await Promise.race([drained(writable), callEnded]);
      }
    }
    iterator = undefined;
    writable.end();
  } catch (error) {
    iterator = undefined;
    cancelCall(surface, error);
  }
}

function drained(writable: Writable): Promise<void> {
  return new Promise((resolve) => {
    writable.once('drain', resolve);
  });
}

/** What an iterator throws on being returned concerns nobody: its call is over. */
async function returnQuietly(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}

function ignore(): void {}
