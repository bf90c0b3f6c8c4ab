import { status } from '@grpc/grpc-js';
import { isCallCancelledError } from '@grpc-di/call-context/opener';

/** The gRPC status code that an error stands for; `undefined` where the error has nothing to do with gRPC. */
export function grpcCodeOf(error: unknown): status | undefined {
  if (typeof error !== 'object' || error === null) {
    return undefined;
  }
  const { name, code, details, cause } = error as ErrorLike;
  if (isCallCancelledError(error)) {
    return error.code;
  }
  // Node's own functions (`timers/promises`, `events.once`, `fs`) throw an AbortError with the signal's reason as its cause.
  if (name === 'AbortError' && isCallCancelledError(cause)) {
    return cause.code;
  }
  // Node's system errors have strings as codes, an Error of an HTTP library has no details.
  return typeof code === 'number' && code !== status.OK && code in status && typeof details === 'string'
    ? code
    : undefined;
}

interface ErrorLike {
  name?: unknown;
  code?: unknown;
  details?: unknown;
  cause?: unknown;
}
