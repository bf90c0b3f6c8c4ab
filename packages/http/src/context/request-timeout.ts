import type { IncomingHttpHeaders } from 'node:http';
import { describeValue } from '@grpc-di/call-context/opener';
import type { HttpRequest } from '../http-types.js';
import { type HttpCallPolicy, isMilliseconds } from './http-call-context-options.js';

/**
 * How long the server gives the request, in ms; `Infinity` for as long as it takes.
 *
 * @throws TypeError when a `timeoutMs` function returns no number; whatever the function throws.
 */
export function serversTimeout({ timeoutMs }: HttpCallPolicy, req: HttpRequest): number {
  if (typeof timeoutMs !== 'function') {
    return timeoutMs ?? Infinity;
  }
  const returned: unknown = timeoutMs(req);
  if (returned === undefined || isMilliseconds(returned)) {
    return returned ?? Infinity;
  }
  throw new TypeError(
    `timeoutMs(req) must return a number of milliseconds, or undefined for no deadline, not ${describeValue(returned)}`,
  );
}

/** How long the client says that it will wait, in ms; `Infinity` where it says nothing that can be understood. */
export function clientsTimeout({ timeoutHeader }: HttpCallPolicy, headers: IncomingHttpHeaders): number {
  const grpc = fromGrpcTimeout(headers['grpc-timeout']);
  if (timeoutHeader === undefined) {
    return grpc;
  }
  const value = headers[timeoutHeader];
  return Math.min(grpc, typeof value === 'string' && MILLISECONDS.test(value) ? Number(value) : fromGrpcTimeout(value));
}

const MILLISECONDS = /^\d{1,15}$/;

/** gRPC over HTTP/2: `Timeout → TimeoutValue TimeoutUnit`, at most 8 digits. */
const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;

const UNIT_IN_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

function fromGrpcTimeout(value: string | string[] | undefined): number {
  const parts = typeof value === 'string' ? GRPC_TIMEOUT.exec(value) : null;
  return parts === null ? Infinity : Number(parts[1]) * UNIT_IN_MS[parts[2]!]!;
}
