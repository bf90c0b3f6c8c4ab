import { constants } from 'node:http2';
import { type AnyResponse, http2StreamOf } from './http2-stream.js';

/**
 * Ends a response that cannot be completed, so that its client knows: on HTTP/2 with RST_STREAM and this very code, on
 * HTTP/1.1, which has none, by closing the connection. Does nothing once the response has been sent.
 *
 * @example
 * resetStream(res, http2.constants.NGHTTP2_REFUSED_STREAM);   // 7: nothing was done, send it again
 *
 * @param errorCode one of HTTP/2's, RFC 9113, section 7: an integer from 0 to 13
 * @throws TypeError for any other code.
 */
export function resetStream(res: AnyResponse, errorCode: number): void {
  const stream = http2StreamOf('resetStream', res);
  if (!Number.isInteger(errorCode) || errorCode < 0 || errorCode > constants.NGHTTP2_HTTP_1_1_REQUIRED) {
    throw new TypeError(
      `resetStream(res, errorCode): errorCode must be an error code of HTTP/2, an integer from 0 to 13 such as http2.constants.NGHTTP2_CANCEL (8), not ${String(errorCode)}`,
    );
  }
  if (stream === undefined) {
    res.destroy();
  } else if (errorCode === constants.NGHTTP2_NO_ERROR) {
    // close(0) would first send all that is left of a response that has ended.
    stream.destroy();
  } else {
    stream.close(errorCode);
  }
}
