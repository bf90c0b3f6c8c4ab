import { isGone } from '../context/response-end.js';
import type { HttpRequest, HttpResponse } from '../http-types.js';
import { answerFor, HEADERS_OF_THE_INTENDED_BODY } from './error-answer.js';

/** Error-handling middleware of Express and Connect. */
export type HttpErrorHandler = (
  error: unknown,
  req: HttpRequest,
  res: HttpResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Error handler for Express and Connect: answers errors of gRPC calls, and cancellations of the call context, with
 * their HTTP status (`httpStatusFromGrpc`) and a short JSON body that tells nothing of the inside. A client that left is
 * not answered; the response's `statusCode` is set all the same, 499 mostly. All other errors, and those of responses that have begun, go to
 * the next error handler.
 *
 * @example
 * app.use(grpcErrorHandler()); // after the routes
 */
export function grpcErrorHandler(): HttpErrorHandler {
  // Four parameters, or Express takes it for a request handler.
  return (error, _req, res, next) => {
    const answer = answerFor(error);
    if (answer === undefined) {
      next(error);
      return;
    }
    if (isGone(res)) {
      // For the access log.
      res.statusCode = answer.httpStatus;
      return;
    }
    if (res.headersSent) {
      next(error);
      return;
    }
    res.statusCode = answer.httpStatus;
    for (const name of HEADERS_OF_THE_INTENDED_BODY) {
      res.removeHeader(name);
    }
    res.setHeader('content-type', 'application/json; charset=utf-8');
    res.end(JSON.stringify(answer.body));
  };
}
