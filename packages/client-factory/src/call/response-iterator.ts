import type { Readable } from 'node:stream';
import type { CallOutcome } from './call-outcome.js';

interface Waiting<Response> {
  resolve(result: IteratorResult<Response>): void;
  reject(error: unknown): void;
}

/**
 * A loop over streaming responses. Unlike the stream's own iterator it knows a failure that came before it, which is
 * otherwise an empty success, and costs one promise per message.
 */
export class ResponseIterator<Response> implements AsyncIterableIterator<Response> {
  private readonly waiting: Array<Waiting<Response>> = [];
  private isDone = false;

  constructor(
    private readonly stream: Readable,
    private readonly outcome: CallOutcome,
    /** Whether leaving the loop early ends the call. */
    private readonly destroyOnReturn: boolean,
  ) {
    stream.on('readable', this.deliver).on('end', this.deliver).on('close', this.deliver);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Response>> {
    if (this.waiting.length === 0 && !this.isDone) {
      const response = this.stream.read() as Response | null;
      if (response !== null) {
        return Promise.resolve({ value: response, done: false });
      }
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.deliver();
    });
  }

  /** The loop was left early: nobody wants the rest of the call. */
  return(): Promise<IteratorResult<Response>> {
    this.finish();
    if (this.destroyOnReturn) {
      this.stream.destroy();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  private readonly deliver = (): void => {
    while (this.waiting.length > 0) {
      const response = this.isDone ? null : (this.stream.read() as Response | null);
      if (response !== null) {
        this.waiting.shift()!.resolve({ value: response, done: false });
      } else if (this.isDone || this.hasNoMore()) {
        this.finish();
      } else {
        return;
      }
    }
  };

  /** A stream that was destroyed ends its call, and only the call's status tells how. */
  private hasNoMore(): boolean {
    if (this.stream.destroyed && !this.outcome.hasEnded) {
      void this.outcome.status.then(this.deliver);
      return false;
    }
    return this.outcome.error !== undefined || this.stream.readableEnded || this.stream.destroyed;
  }

  /** The failure goes to the first that waits for more; whoever asks again finds the end, as with every iterator. */
  private finish(): void {
    const error = this.isDone ? undefined : this.outcome.error;
    this.isDone = true;
    this.stream.off('readable', this.deliver).off('end', this.deliver).off('close', this.deliver);
    if (error !== undefined) {
      this.waiting.shift()?.reject(error);
    }
    for (const waiting of this.waiting.splice(0)) {
      waiting.resolve({ value: undefined, done: true });
    }
  }
}
