import { IncomingMessage, type RequestListener } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';

/**
 * Express gives every request a prototype of HTTP/1.1's; on one of HTTP/2 that ends the process with an uncaught error. Its
 * HTTP/2 requests are reset with HTTP_1_1_REQUIRED instead, after which browsers and curl ask again over HTTP/1.1.
 */
export function guardHttp2(listener: RequestListener): RequestListener {
  if (!((listener as { request?: unknown }).request instanceof IncomingMessage)) {
    return listener;
  }
  let hasWarned = false;
  return (_request, response) => {
    (response as unknown as Http2ServerResponse).stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
    if (!hasWarned) {
      hasWarned = true;
      process.emitWarning(
        'createHttp2Host: an Express application does not run on HTTP/2; its requests over HTTP/2 are reset with ' +
          'HTTP_1_1_REQUIRED, and clients may ask again over HTTP/1.1. If yours was made to run on HTTP/2, give ' +
          'http: (req, res) => app(req, res)',
      );
    }
  };
}
