import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { checkTrailerName } from './forbidden-trailers.js';
import { type AnyResponse, http2StreamOf } from './http2-stream.js';

/**
 * Whether trailers can follow this response's body: on HTTP/2 where it has a body; on HTTP/1.1 where the client sent
 * `TE: trailers` too, and the body goes out in chunks, not with a `Content-Length`.
 */
export function supportsTrailers(res: AnyResponse): boolean {
  const stream = http2StreamOf('supportsTrailers', res);
  const { method, headers, httpVersion } = res.req;
  if (method === 'HEAD' || res.statusCode === 204 || res.statusCode === 304) {
    return false;
  }
  if (stream !== undefined) {
    return true;
  }
  const isChunked =
    'chunkedEncoding' in res && res.headersSent ? res.chunkedEncoding : !res.hasHeader('content-length');
  return httpVersion === '1.1' && acceptsTrailers(headers.te) && isChunked;
}

/**
 * Announces a trailer in the `Trailer` header: some clients, and proxies, wait for announced ones only. Does nothing where
 * the response supports no trailers.
 *
 * @throws Error when the response's headers have been sent; TypeError for a name that no trailer can have.
 */
export function declareTrailer(res: AnyResponse, name: string): void {
  const isSupported = supportsTrailers(res);
  checkTrailerName('declareTrailer', name);
  validateHeaderName(name);
  if (res.headersSent) {
    throw new Error(
      `declareTrailer(res, '${name}'): the response's headers have been sent; declare trailers before writeHead(), write() and end()`,
    );
  }
  if (isSupported) {
    announce(res, name);
  }
}

/**
 * Adds a trailer, which is sent after the body; a name that was appended before keeps its earlier values. Before the headers
 * are sent it is declared as well.
 *
 * @throws Error when the response supports no trailers (ask `supportsTrailers(res)` first), or was ended; TypeError for a
 *   name that no trailer can have, or a value that no field can have.
 */
export function appendTrailer(res: AnyResponse, name: string, value: string | readonly string[]): void {
  const isSupported = supportsTrailers(res);
  checkTrailerName('appendTrailer', name);
  const values = typeof value === 'string' ? [value] : [...value];
  validateHeaderName(name);
  for (const each of values) {
    validateHeaderValue(name, each);
  }
  if (res.writableEnded) {
    throw new Error(`appendTrailer(res, '${name}'): the response was ended; append trailers before end()`);
  }
  if (!isSupported) {
    throw new Error(
      `appendTrailer(res, '${name}'): this response supports no trailers; ask supportsTrailers(res) first. ` +
        'On HTTP/1.1 the client must send TE: trailers, and the response must have a body and no Content-Length',
    );
  }
  if (!res.headersSent) {
    announce(res, name);
  }
  const trailers = trailersOf(res);
  const key = name.toLowerCase();
  trailers[key] = [...(trailers[key] ?? []), ...values];
  // Either version of Node's addTrailers() forgets something of what it was given before.
  res.addTrailers(trailers);
}

function announce(res: AnyResponse, name: string): void {
  const announced = [res.getHeader('trailer') ?? []].flat().join(', ');
  const names = announced === '' ? [] : announced.split(/\s*,\s*/);
  if (!names.some((each) => each.toLowerCase() === name.toLowerCase())) {
    res.setHeader('trailer', [...names, name].join(', '));
  }
}

/** `TE: trailers, deflate;q=0.5` */
function acceptsTrailers(te: string | string[] | undefined): boolean {
  return [te ?? []]
    .flat()
    .join(',')
    .split(',')
    .some((each) => /^\s*trailers\s*(?:;|$)/i.test(each));
}

/** Node's responses take trailers, and tell nobody which they have. */
const appended = new WeakMap<AnyResponse, Record<string, string[]>>();

function trailersOf(res: AnyResponse): Record<string, string[]> {
  let trailers = appended.get(res);
  if (trailers === undefined) {
    trailers = Object.create(null) as Record<string, string[]>;
    appended.set(res, trailers);
    if (http2StreamOf('appendTrailer', res) !== undefined) {
      sendHeadersAlone(res as Http2ServerResponse);
    }
  }
  return trailers;
}

/** Where end() is what sends the headers, and there is no body, Node ends the stream with them and drops the trailers. */
function sendHeadersAlone(res: Http2ServerResponse): void {
  const end = res.end.bind(res) as (...parameters: unknown[]) => Http2ServerResponse;
  res.end = (...parameters: unknown[]) => {
    if (!res.headersSent && !res.stream.destroyed) {
      res.writeHead(res.statusCode);
    }
    return end(...parameters);
  };
}
