import { warnOfSubscriberError } from './subscriber-error.js';

/** What hears of an AbortSignal's abort: a call, a call context. */
export interface AbortSubscriber {
  /** Runs once, synchronously, in no particular call context. */
  onSignalAborted(reason: unknown): void;
}

/**
 * One listener per signal, however many calls follow it: a signal that a thousand calls share (a server's shutdown)
 * has neither a thousand listeners nor Node 20's warning at the eleventh.
 */
class AbortFanOut {
  readonly subscribers = new Set<AbortSubscriber>();

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', this);
  }

  handleEvent(): void {
    // Still in `fanOuts`: whoever unsubscribes while others are told is not told.
    for (const subscriber of this.subscribers) {
      try {
        subscriber.onSignalAborted(this.signal.reason);
      } catch (error) {
        warnOfSubscriberError(error);
      }
    }
    this.detach();
  }

  detach(): void {
    this.signal.removeEventListener('abort', this);
    fanOuts.delete(this.signal);
  }
}

const fanOuts = new WeakMap<AbortSignal, AbortFanOut>();

/** Tells `subscriber` when `signal` aborts, at once when it already has. */
export function subscribeToSignal(signal: AbortSignal, subscriber: AbortSubscriber): void {
  if (signal.aborted) {
    subscriber.onSignalAborted(signal.reason);
    return;
  }
  let fanOut = fanOuts.get(signal);
  if (fanOut === undefined) {
    fanOut = new AbortFanOut(signal);
    fanOuts.set(signal, fanOut);
  }
  fanOut.subscribers.add(subscriber);
}

/** The last subscriber that leaves takes the listener off the signal. */
export function unsubscribeFromSignal(signal: AbortSignal, subscriber: AbortSubscriber): void {
  const fanOut = fanOuts.get(signal);
  if (fanOut !== undefined && fanOut.subscribers.delete(subscriber) && fanOut.subscribers.size === 0) {
    fanOut.detach();
  }
}

/** By shape: an AbortSignal of another realm or of a polyfill counts. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AbortSignal>).aborted === 'boolean' &&
    typeof (value as Partial<AbortSignal>).addEventListener === 'function'
  );
}
