import { type EventEmitter, once } from 'node:events';

/** A promise that is settled from outside. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}

export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await once(signal, 'abort');
  }
}

/** grpc-js has nothing left to say of the server's call: it emits 'cancelled' at every ending, a normal one too. */
export async function over(call: EventEmitter): Promise<void> {
  if (!(call as EventEmitter & { cancelled: boolean }).cancelled) {
    await once(call, 'cancelled');
  }
}
