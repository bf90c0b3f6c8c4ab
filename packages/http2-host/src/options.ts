import type { RequestListener } from 'node:http';
import type { TlsOptions } from 'node:tls';
import { inspect } from 'node:util';
import type { Server } from '@grpc/grpc-js';

export interface Http2HostOptions {
  /** A grpc-js server with its services added, not bound anywhere. It stays yours: closing the host does not shut it down. */
  grpc?: Server;
  /**
   * HTTP/2 and HTTP/1.1 requests that are not gRPC: a Connect application, Fastify's `app.routing`, any listener of node:http.
   * On HTTP/2 it gets the objects of Node's compatibility API, `req.httpVersion` being `2.0`. Express runs on HTTP/1.1 only:
   * its requests over HTTP/2 are reset with HTTP_1_1_REQUIRED.
   */
  http?: RequestListener;
  /**
   * `key`, `cert`, `ca`, `requestCert`, ..., as for `tls.createServer()`; TLS 1.2 or later. Without it the port is plain
   * text, for use behind a proxy that ends TLS: HTTP/2 by prior knowledge, and HTTP/1.1.
   */
  tls?: TlsOptions;
}

/** @throws TypeError naming the option. */
export function checkOptions(options: Http2HostOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `createHttp2Host(options): options must be an object such as { grpc, http }, not ${inspect(options)}`,
    );
  }
  const { grpc, http, tls } = options;
  if (grpc === undefined && http === undefined) {
    throw new TypeError('createHttp2Host: give grpc (a grpc-js Server), http (a request listener), or both');
  }
  if (grpc !== undefined && typeof grpc?.createConnectionInjector !== 'function') {
    throw new TypeError(`createHttp2Host: grpc must be a Server of @grpc/grpc-js, not ${inspect(grpc, { depth: 0 })}`);
  }
  if (http !== undefined && typeof http !== 'function') {
    throw new TypeError(
      `createHttp2Host: http must be a function (req, res) => void, not ${inspect(http, { depth: 0 })}`,
    );
  }
  if (tls !== undefined) {
    checkTls(tls);
  }
}

function checkTls(tls: TlsOptions): void {
  if (typeof tls !== 'object' || tls === null) {
    throw new TypeError(
      `createHttp2Host: tls must be an object such as { key, cert }, not ${inspect(tls, { depth: 0 })}`,
    );
  }
  const isPair = tls.key !== undefined && tls.cert !== undefined;
  if (!isPair && tls.pfx === undefined && tls.SNICallback === undefined && tls.pskCallback === undefined) {
    throw new TypeError(
      'createHttp2Host: tls needs key and cert (or pfx, or SNICallback); leave tls out for plain text',
    );
  }
  if (tls.ALPNProtocols !== undefined || tls.ALPNCallback !== undefined) {
    throw new TypeError(
      'createHttp2Host: leave tls.ALPNProtocols and tls.ALPNCallback out; the host agrees on the protocol',
    );
  }
  if (tls.minVersion === 'TLSv1' || tls.minVersion === 'TLSv1.1') {
    throw new TypeError(`createHttp2Host: tls.minVersion is '${tls.minVersion}', but HTTP/2 needs TLSv1.2 or TLSv1.3`);
  }
}
