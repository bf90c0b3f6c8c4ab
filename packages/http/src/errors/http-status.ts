import { status } from '@grpc/grpc-js';

/**
 * The HTTP status for a gRPC status code, as google/rpc/code.proto maps them: 504 for DEADLINE_EXCEEDED, 499 (Client
 * Closed Request) for CANCELLED. A code that gRPC does not have counts as UNKNOWN: 500.
 */
export function httpStatusFromGrpc(code: status): number {
  return HTTP_STATUS[code] ?? 500;
}

const HTTP_STATUS: Record<status, number> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};
