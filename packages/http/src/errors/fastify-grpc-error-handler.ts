import { answerFor, HEADERS_OF_THE_INTENDED_BODY } from './error-answer.js';

/** An error handler of Fastify. */
export type FastifyErrorHandler = (error: unknown, request: unknown, reply: FastifyReplyLike) => void | Promise<never>;

/** What the error handler asks of a Fastify reply; see `FastifyInstanceLike` for why it is not Fastify's own type. */
export interface FastifyReplyLike {
  code(statusCode: number): unknown;
  removeHeader(name: string): unknown;
  send(payload: unknown): unknown;
}

/**
 * Error handler for Fastify: answers errors of gRPC calls, and cancellations of the call context, with their HTTP status
 * (`httpStatusFromGrpc`) and a short JSON body that tells nothing of the inside. All other
 * errors go to the error handler around, Fastify's own in the end.
 *
 * @example
 * app.setErrorHandler(fastifyGrpcErrorHandler());
 */
export function fastifyGrpcErrorHandler(): FastifyErrorHandler {
  return (error, _request, reply) => {
    const answer = answerFor(error);
    if (answer === undefined) {
      return passOn(error);
    }
    for (const name of HEADERS_OF_THE_INTENDED_BODY) {
      reply.removeHeader(name);
    }
    reply.code(answer.httpStatus);
    reply.send(answer.body);
  };
}

/** By a rejection: `reply.send(error)` would answer 200 with what was thrown and is no Error. */
async function passOn(error: unknown): Promise<never> {
  throw error;
}
