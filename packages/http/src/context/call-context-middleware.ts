import type { HttpRequest, HttpResponse } from '../http-types.js';
import { type HttpCallContextOptions, httpCallPolicy } from './http-call-context-options.js';
import type { HttpCallScope } from './http-call-scope.js';
import { openUnderPolicy } from './open-http-call-context.js';

/** Middleware of Express and Connect, and of anything else that calls with a `next`. */
export type HttpMiddleware = (req: HttpRequest, res: HttpResponse, next: (error?: unknown) => void) => void;

/**
 * Middleware that makes every HTTP request a call context: gRPC clients below inherit its deadline, and its cancellation
 * when the client leaves. For Express, Connect, and servers of node:http and node:http2 (compatibility API). Put it
 * before whatever makes calls.
 *
 * @example
 * app.use(callContextMiddleware({ timeoutMs: 2_000 }));
 *
 * @throws TypeError naming the option, for values of a wrong type and for unknown options. A `timeoutMs` function that
 * throws, or returns no number, is the error of its request: `next(error)`.
 */
export function callContextMiddleware(options: HttpCallContextOptions = {}): HttpMiddleware {
  const policy = httpCallPolicy('callContextMiddleware', options);
  return (req, res, next) => {
    let scope: HttpCallScope;
    try {
      scope = openUnderPolicy(req, res, policy);
    } catch (error) {
      next(error);
      return;
    }
    scope.run(next);
  };
}
