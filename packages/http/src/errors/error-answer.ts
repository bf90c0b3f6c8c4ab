import { STATUS_CODES } from 'node:http';
import { status } from '@grpc/grpc-js';
import { grpcCodeOf } from './grpc-code.js';
import { httpStatusFromGrpc } from './http-status.js';

/** What an HTTP client gets for an error of a gRPC call. */
export interface ErrorAnswer {
  httpStatus: number;
  /** In the form of Google's APIs (AIP-193). Of the error itself it says no more: details are for those inside. */
  body: { error: { code: number; message: string; status: string } };
}

/** @returns `undefined` for an error that has nothing to do with gRPC. */
export function answerFor(error: unknown): ErrorAnswer | undefined {
  const code = grpcCodeOf(error);
  if (code === undefined) {
    return undefined;
  }
  const httpStatus = httpStatusFromGrpc(code);
  const message = STATUS_CODES[httpStatus] ?? 'Client Closed Request';
  return { httpStatus, body: { error: { code: httpStatus, message, status: status[code] } } };
}

/** What a handler may have set for the answer that it could not give. */
export const HEADERS_OF_THE_INTENDED_BODY = [
  'cache-control',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'etag',
  'expires',
  'last-modified',
];
