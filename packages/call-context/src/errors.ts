import { withoutStackFrames } from './without-stack-frames.js';

/** gRPC's status codes of a call that was cut short: 1 CANCELLED, 4 DEADLINE_EXCEEDED. */
export type CancellationCode = 1 | 4;

/**
 * Why a call was cut short. The message says who ended it and why: the client, its own deadline, the parent's, a
 * signal, the handler's completion. `cause` is the parent's or the signal's reason, where there is one.
 */
export class CallCancelledError extends Error {
  override readonly name = 'CallCancelledError';
  /** gRPC's status code: 1 CANCELLED or 4 DEADLINE_EXCEEDED. */
  readonly code: CancellationCode;

  constructor(code: CancellationCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** One that tells of a call's end: how the event loop came there is nothing to tell of. */
export function cancellationError(code: CancellationCode, message: string, cause: unknown): CallCancelledError {
  return withoutStackFrames(newCancellationError, code, message, cause);
}

function newCancellationError(code: CancellationCode, message: string, cause: unknown): CallCancelledError {
  return new CallCancelledError(code, message, cause);
}

/**
 * There is no call context here: the code runs in no call, or in one that has ended. The message says which of the two
 * and what to write.
 */
export class CallContextNotFoundError extends Error {
  override readonly name = 'CallContextNotFoundError';
}

/** By name, not by class: the reason may come from another installed copy of this package. */
export function isCallCancelledError(value: unknown): value is CallCancelledError {
  return (
    value instanceof CallCancelledError ||
    (typeof value === 'object' &&
      value !== null &&
      'name' in value &&
      value.name === 'CallCancelledError' &&
      'code' in value &&
      (value.code === 1 || value.code === 4))
  );
}

/**
 * The error for code that needs a context where `surrounding` is all there is: nothing, or a scope that has ended.
 *
 * @param consequence what cannot be done now, as a sentence that ends with a full stop.
 */
export function callContextNotFound(
  surrounding: { readonly label: string; readonly endedAt: number } | undefined,
  consequence: string,
): CallContextNotFoundError {
  return new CallContextNotFoundError(
    surrounding === undefined
      ? `${consequence} This code runs in no call: open a context with runInCallContext({ timeoutMs }, fn), ` +
          `serve with callContextInterceptor(), or register the client with onContextNotFound: 'ignore'.`
      : `${consequence} ${surrounding.label} ended ${Date.now() - surrounding.endedAt} ms before: ` +
          `start work that outlives its call with runDetached(fn), in a context of its own or with onContextNotFound: 'ignore'.`,
  );
}
