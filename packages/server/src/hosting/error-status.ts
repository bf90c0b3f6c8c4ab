import { Metadata, status } from '@grpc/grpc-js';
import type { CallCancelledError } from '@grpc-di/call-context';
import { isCallCancelledError } from '@grpc-di/call-context/opener';
import type { PartialStatusObject } from '../grpc-js-types.js';

/**
 * The status for an error that a service method threw; `undefined` where the error is no status and its text must stay
 * inside.
 */
export function statusOfError(error: unknown): PartialStatusObject | undefined {
  const cancellation = cancellationBehind(error);
  if (cancellation !== undefined) {
    return { code: cancellation.code, details: cancellation.message };
  }
  if (!isServiceError(error)) {
    return undefined;
  }
  const { code, details, metadata } = error;
  return metadata instanceof Metadata && !isOfChildCall(error) ? { code, details, metadata } : { code, details };
}

/**
 * A method that handed the context's signal to `fetch` throws the signal's reason itself; Node's own functions
 * (`timers/promises`, `events.once`, `fs`) throw an AbortError with the reason as its cause.
 */
function cancellationBehind(error: unknown): CallCancelledError | undefined {
  if (isCallCancelledError(error)) {
    return error;
  }
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  return name === 'AbortError' && isCallCancelledError(cause) ? cause : undefined;
}

interface ServiceErrorLike {
  code: status;
  details: string;
  metadata?: unknown;
  stack?: unknown;
}

/** OK is no error, and Node's system errors have strings as codes. */
function isServiceError(error: unknown): error is ServiceErrorLike {
  if (typeof error !== 'object' || error === null) {
    return false;
  }
  const { code, details } = error as Partial<ServiceErrorLike>;
  return typeof code === 'number' && code !== status.OK && code in status && typeof details === 'string';
}

/**
 * A child call's error, rethrown: its metadata is what came back to us, and not our answer's. grpc-js writes the stack
 * so; `message` and `details` may have been reworded on the way.
 */
function isOfChildCall({ stack }: ServiceErrorLike): boolean {
  return typeof stack === 'string' && stack.includes('\nfor call at\n');
}
