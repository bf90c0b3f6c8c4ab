import type { HttpRequest, HttpResponse } from '../http-types.js';
import { type HttpCallContextOptions, type HttpCallPolicy, httpCallPolicy } from './http-call-context-options.js';
import { openUnderPolicy } from './open-http-call-context.js';

/**
 * Fastify plugin that makes every HTTP request a call context, over HTTP/1.1 and HTTP/2: gRPC clients below inherit its
 * deadline, and its cancellation when the client leaves. It holds for all routes of the instance that it is registered on.
 * A `timeoutMs` function gets `request.raw`.
 *
 * Wrong options make the registration fail with a TypeError; a `timeoutMs` function that throws, or returns no number, is
 * the error of its request.
 *
 * @example
 * await app.register(fastifyCallContext, { timeoutMs: 2_000 });
 */
export function fastifyCallContext(
  instance: FastifyInstanceLike,
  options: HttpCallContextOptions,
  done: (error?: Error) => void,
): void {
  let policy: HttpCallPolicy;
  try {
    policy = httpCallPolicy('fastifyCallContext', options, REGISTER_OPTIONS);
  } catch (error) {
    done(error as Error);
    return;
  }
  instance.addHook('onRequest', (request, reply, next) => {
    let scope: ReturnType<typeof openUnderPolicy>;
    try {
      scope = openUnderPolicy(request.raw, reply.raw, policy);
    } catch (error) {
      next(error as Error);
      return;
    }
    scope.run(next);
  });
  done();
}

/** What Fastify itself reads from the options of `register`, and hands on. */
const REGISTER_OPTIONS = ['prefix', 'logLevel', 'logSerializers'];

// What fastify-plugin does: without it the hooks would hold for the routes of no one but this plugin.
Object.assign(fastifyCallContext, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@grpc-di/http',
  [Symbol.for('plugin-meta')]: { name: '@grpc-di/http', fastify: '5.x' },
});

type RequestHook = (request: { raw: HttpRequest }, reply: { raw: HttpResponse }, done: (error?: Error) => void) => void;

/**
 * What the plugin asks of a Fastify instance. Fastify's own types would not do: those who have no Fastify would have to
 * install it, and a plugin typed for HTTP/1.1 does not fit an instance on HTTP/2.
 */
export interface FastifyInstanceLike {
  addHook(name: 'onRequest', hook: RequestHook): unknown;
}
