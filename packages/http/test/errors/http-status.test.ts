import { status } from '@grpc/grpc-js';
import { httpStatusFromGrpc } from '@grpc-di/http';
import { expect, test } from '@jest/globals';

// google/rpc/code.proto
test.each<[keyof typeof status, number]>([
  ['OK', 200],
  ['CANCELLED', 499],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 504],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['UNAUTHENTICATED', 401],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 400],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 400],
  ['UNIMPLEMENTED', 501],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
])('%s is HTTP status %d', (name, httpStatus) => {
  expect(httpStatusFromGrpc(status[name])).toBe(httpStatus);
});

test.each([99, -1, Number.NaN])('a code that gRPC does not have (%p) is UNKNOWN', (code) => {
  expect(httpStatusFromGrpc(code)).toBe(500);
});
