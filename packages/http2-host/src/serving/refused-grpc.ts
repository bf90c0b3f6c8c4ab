import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';
import { isGrpcContentType } from '../grpc-content-type.js';

/** The application's listener, for all requests but gRPC ones on a connection that is HTTP's: they get a status that says so. */
export function refusingGrpc(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (isGrpcContentType(request.headers['content-type'])) {
      refuse(request, response);
    } else {
      listener(request, response);
    }
  };
}

/** For the HTTP/1.1 requests to a host that has gRPC services only. */
export const onlyGrpc: RequestListener = (request, response) => {
  if (isGrpcContentType(request.headers['content-type'])) {
    refuse(request, response);
  } else {
    response.writeHead(505, { 'content-type': 'text/plain' });
    response.end('This port serves gRPC, which needs HTTP/2.\n');
  }
};

/** A response without messages carries its status in the headers: gRPC over HTTP/2, "Trailers-Only". */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const why =
    request.httpVersionMajor === 1
      ? `gRPC needs HTTP/2, and this call came as HTTP/${request.httpVersion}: let the client, or the proxy before this server, speak HTTP/2`
      : 'This connection serves HTTP requests, as its first one was: send gRPC calls on a connection of their own. ' +
        'A proxy before this server needs one upstream for gRPC and another for HTTP.';
  // Not with writeHead(): on HTTP/2 the headers would go out alone, and without END_STREAM the status in them does not count.
  response.setHeader('content-type', 'application/grpc');
  response.setHeader('grpc-status', String(status.UNAVAILABLE));
  response.setHeader('grpc-message', encodeURI(why));
  response.end();
}
