/** What came in with the running call. grpc-js's `Metadata` is one. */
export interface RequestMetadata {
  get(name: string): Array<string | Buffer>;
}

/**
 * One running call, seen from inside it. Read-only: what it calls cannot end it.
 *
 * A context is *cancelled* (cut short: the client left, the deadline passed, a signal fired) or *ended* (it completed);
 * whichever came first stays. A cancelled context stays current, so that a handler that still runs finds out; an
 * ended one is no longer found.
 */
export interface CallContext {
  /** Epoch milliseconds; `Infinity` when there is none. */
  readonly deadline: number;
  /**
   * Aborts once, when the call is cancelled; its reason is a {@link CallCancelledError}. Never aborts after the call
   * ended. Made on first read: a call that nobody asks for its signal costs none. Pass it to `fetch`, database
   * drivers, timers.
   */
  readonly signal: AbortSignal;
  /** Cancelled, or past the deadline, before the call completed. */
  readonly cancelled: boolean;
  /** Completed without having been cancelled. */
  readonly ended: boolean;
  /** The metadata of the request that opened the context, if a request did. */
  readonly requestMetadata: RequestMetadata | undefined;
  /** Milliseconds until the deadline, at least 0; `Infinity` when there is none. */
  timeRemaining(): number;
  /**
   * @throws CallCancelledError, the very `signal.reason`, when the call is cancelled.
   */
  throwIfCancelled(): void;
}
