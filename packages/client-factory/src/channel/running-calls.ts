import { status } from '@grpc/grpc-js';
import type { RunningCall } from '../propagation/call-target.js';

/** The calls that run on a channel, or on one client's part of it, and its closing: calls that run may finish. */
export class RunningCalls {
  private readonly running = new Set<RunningCall>();
  private closing: { readonly because: string; readonly drained: PromiseWithResolversOf<void> } | undefined;

  /** Why no more calls may start; `undefined` while they may. */
  get closedBecause(): string | undefined {
    return this.closing?.because;
  }

  get areNone(): boolean {
    return this.running.size === 0;
  }

  started(call: RunningCall): void {
    this.running.add(call);
  }

  ended(call: RunningCall): void {
    this.running.delete(call);
    this.settle();
  }

  /** The promise resolves when the running calls have ended, which they do on their own, or at once with `cancelCalls`. */
  close(because: string, cancelCalls: boolean): Promise<void> {
    this.closing ??= { because, drained: promiseWithResolvers() };
    if (cancelCalls) {
      for (const call of this.running) {
        call.end({ code: status.CANCELLED, details: `Cancelled: ${because}`, by: 'close' });
      }
    }
    this.settle();
    return this.closing.drained.promise;
  }

  private settle(): void {
    if (this.running.size === 0) {
      this.closing?.drained.resolve();
    }
  }
}

interface PromiseWithResolversOf<T> {
  promise: Promise<T>;
  resolve(value: T): void;
}

/** `Promise.withResolvers()`, which Node 20 does not have. */
function promiseWithResolvers(): PromiseWithResolversOf<void> {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
