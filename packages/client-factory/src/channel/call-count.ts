/** How many calls run on a channel, or on one client's part of it, and its closing: calls that run may finish. */
export class CallCount {
  private running = 0;
  private closing: { readonly because: string; readonly drained: PromiseWithResolversOf<void> } | undefined;

  /** Why no more calls may start; `undefined` while they may. */
  get closedBecause(): string | undefined {
    return this.closing?.because;
  }

  get isNone(): boolean {
    return this.running === 0;
  }

  started(): void {
    this.running++;
  }

  ended(): void {
    this.running--;
    this.settle();
  }

  /** The promise resolves when the running calls have ended. */
  close(because: string): Promise<void> {
    this.closing ??= { because, drained: promiseWithResolvers() };
    this.settle();
    return this.closing.drained.promise;
  }

  private settle(): void {
    if (this.running === 0) {
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
