import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import { inspect } from 'node:util';

/** What a request listener gets, on either version of HTTP. */
export type AnyResponse = ServerResponse | Http2ServerResponse;

/**
 * The stream of an HTTP/2 response; undefined for HTTP/1.1. Not by `instanceof`: frameworks give responses other prototypes.
 *
 * @throws TypeError when this is no response.
 */
export function http2StreamOf(caller: string, response: AnyResponse): ServerHttp2Stream | undefined {
  const candidate = response as Partial<Http2ServerResponse> | null | undefined;
  if (typeof candidate?.end !== 'function' || typeof candidate.setHeader !== 'function') {
    throw new TypeError(
      `${caller}(res): res must be the response that a request listener gets (with Fastify: reply.raw), not ${inspect(response, { depth: 0 })}`,
    );
  }
  return candidate.stream;
}
