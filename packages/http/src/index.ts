export { callContextMiddleware, type HttpMiddleware } from './context/call-context-middleware.js';
export { type FastifyInstanceLike, fastifyCallContext } from './context/fastify-call-context.js';
export type { HttpCallContextOptions } from './context/http-call-context-options.js';
export { openHttpCallContext } from './context/open-http-call-context.js';
export {
  type FastifyErrorHandler,
  type FastifyReplyLike,
  fastifyGrpcErrorHandler,
} from './errors/fastify-grpc-error-handler.js';
export { grpcErrorHandler, type HttpErrorHandler } from './errors/grpc-error-handler.js';
export { httpStatusFromGrpc } from './errors/http-status.js';
export type { HttpRequest, HttpResponse } from './http-types.js';
