export { createHttp2Host, type Http2Host, type Http2HostOptions } from './http2-host.js';
export { resetStream } from './response/reset.js';
export { appendTrailer, declareTrailer, supportsTrailers } from './response/trailers.js';
