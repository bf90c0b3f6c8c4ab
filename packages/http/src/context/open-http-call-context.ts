import { currentCallContext } from '@grpc-di/call-context';
import type { CallContextScope } from '@grpc-di/call-context/opener';
import { describeValue } from '@grpc-di/call-context/opener';
import type { HttpRequest, HttpResponse } from '../http-types.js';
import { type HttpCallContextOptions, type HttpCallPolicy, httpCallPolicy } from './http-call-context-options.js';
import { HttpCallScope } from './http-call-scope.js';
import { HttpRequestMetadata } from './http-request-metadata.js';
import { clientsTimeout, serversTimeout } from './request-timeout.js';
import { settleWithResponse } from './response-end.js';
import { hearInScope, scopeOn } from './scoped-events.js';

/**
 * Opens the call context of an HTTP request: what `callContextMiddleware` and `fastifyCallContext` stand on, for other
 * frameworks. Run the request's handler with `scope.run(handler)`; listeners of `req` and `res` run in the context by
 * themselves.
 *
 * The context ends when the response is finished, and is cancelled when the client leaves before. Nobody needs to end
 * it. A second one for the same request lies inside the first.
 *
 * @example
 * createServer((req, res) => {
 *   const scope = openHttpCallContext(req, res, { timeoutMs: 2_000 });
 *   scope.run(() => handle(req, res));
 * });
 *
 * @throws TypeError naming the option, for invalid options, and for a `timeoutMs` function that returns no number;
 * whatever that function throws.
 */
export function openHttpCallContext(
  req: HttpRequest,
  res: HttpResponse,
  options: HttpCallContextOptions = {},
): CallContextScope {
  checkIsNodes('req', req);
  checkIsNodes('res', res);
  return openUnderPolicy(req, res, httpCallPolicy('openHttpCallContext', options));
}

/** The same, with options that were checked before. */
export function openUnderPolicy(req: HttpRequest, res: HttpResponse, policy: HttpCallPolicy): HttpCallScope {
  const { headers } = req;
  const clients = clientsTimeout(policy, headers);
  const servers = serversTimeout(policy, req);
  const earlier = scopeOn(res);
  const scope = new HttpCallScope({
    name: nameOf(req),
    timeoutMs: Math.min(clients, servers),
    parent: earlier === undefined ? undefined : (currentCallContext() ?? earlier.context),
  });
  scope.requestMetadata = new HttpRequestMetadata(headers);
  scope.deadlineIsClients = clients <= servers;
  hearInScope(req, scope);
  hearInScope(res, scope);
  if (earlier === undefined) {
    settleWithResponse(req, res);
  }
  return scope;
}

/** Method and path, for messages. A query may hold what no log should; Express takes the mount path off `url`. */
function nameOf(req: HttpRequest & { originalUrl?: string }): string {
  const url = req.originalUrl ?? req.url ?? '';
  const query = url.indexOf('?');
  return `${req.method} ${query === -1 ? url : url.slice(0, query)}`;
}

function checkIsNodes(name: 'req' | 'res', value: unknown): void {
  if (typeof (value as Partial<HttpRequest> | null | undefined)?.emit !== 'function') {
    throw new TypeError(
      `openHttpCallContext: ${name} must be that of node:http or node:http2 (in Fastify request.raw and reply.raw), not ${describeValue(value)}`,
    );
  }
}
