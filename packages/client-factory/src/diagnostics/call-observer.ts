import { describeValue } from '@grpc-di/call-context/opener';
import { callCancel, callEnd, callStart } from './channels.js';
import type { CallCancelMessage, CallEndMessage, CallStartMessage, CancelledBy } from './messages.js';

/** Whether somebody listens: where nobody does, a call costs this and no more. */
export function areCallsObserved(): boolean {
  return callStart.hasSubscribers || callEnd.hasSubscribers || callCancel.hasSubscribers;
}

/**
 * Tells of one call, from its start to its end; made for calls that start while somebody listens, whoever comes or goes
 * later. It knows nothing but data: what it publishes cannot keep the call.
 */
export class CallObserver {
  private readonly call: CallStartMessage;
  private readonly startedAt = performance.now();
  private isCancelled = false;

  constructor(facts: Omit<CallStartMessage, 'callId'>) {
    this.call = { callId: ++lastCallId, ...facts };
    if (callStart.hasSubscribers) {
      // A copy: what a subscriber adds to it, a span for one, is neither kept here nor passed on.
      callStart.publish({ ...this.call });
    }
  }

  cancelled({ by, code, details, cause }: ObservedEnding): void {
    if (this.isCancelled || by === undefined) {
      return;
    }
    this.isCancelled = true;
    if (callCancel.hasSubscribers) {
      const reason = cause === undefined ? undefined : inWords(cause);
      callCancel.publish({ by, code, details, reason, ...this.call } satisfies CallCancelMessage);
    }
  }

  /** @param ending what ended the call on this side, if anything did. */
  ended({ code, details }: ObservedStatus, ending: ObservedEnding | undefined, refused: boolean): void {
    if (ending !== undefined && !refused) {
      this.cancelled(ending);
    }
    if (callEnd.hasSubscribers) {
      const durationMs = performance.now() - this.startedAt;
      const cancelledBy = ending?.by;
      // The spread last: first, V8 makes the object anew for each property that follows, in 4 µs instead of 0.1.
      callEnd.publish({ code, details, durationMs, cancelledBy, refused, ...this.call } satisfies CallEndMessage);
    }
  }
}

let lastCallId = 0;

interface ObservedStatus {
  readonly code: number;
  readonly details: string;
}

interface ObservedEnding extends ObservedStatus {
  readonly by?: CancelledBy;
  readonly cause?: unknown;
}

/** A reason is any value, also one that throws when it is looked at: the call must be cancelled all the same. */
function inWords(reason: unknown): string {
  if (typeof reason === 'string') {
    return reason;
  }
  try {
    return isErrorLike(reason) ? `${reason.name}: ${reason.message}` : describeValue(reason);
  } catch {
    return 'a reason that cannot be shown';
  }
}

/** By shape: an `AbortError` of Node's core is no `Error` of another realm's. */
function isErrorLike(value: unknown): value is Error {
  const { name, message } = Object(value) as Partial<Error>;
  return typeof name === 'string' && typeof message === 'string';
}
