import type { ServerResponse } from 'node:http';
import { Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import type { HttpRequest, HttpResponse } from '../http-types.js';
import { HttpCallScope } from './http-call-scope.js';
import { whenConnectionCloses } from './pipelined-responses.js';
import { scopeOn } from './scoped-events.js';

/** Settles the scopes of a response when it is finished, or its client has left; at once when that was before. */
export function settleWithResponse(req: HttpRequest, res: HttpResponse): void {
  res.on('close', settle);
  if (isHttp2(res)) {
    // 'close' waits for the client to end its own side as well.
    (res.stream as Http2Stream)[responseKey] = res;
    res.stream.on('finish', settleResponseOfStream);
    if (res.stream.destroyed) {
      settle.call(res);
    }
  } else if (res.closed || req.socket.destroyed) {
    settle.call(res);
  } else if (res.socket === null) {
    whenConnectionCloses(req.socket, res, settle);
  }
}

/** Whether the client cannot be answered any more. */
export function isGone(res: HttpResponse): boolean {
  return isHttp2(res) ? res.stream.destroyed : res.destroyed || res.req.socket.destroyed;
}

const responseKey = Symbol('grpc-di response');

type Http2Stream = ServerHttp2Stream & { [responseKey]?: Http2ServerResponse };

function settleResponseOfStream(this: Http2Stream): void {
  settle.call(this[responseKey]!);
}

function settle(this: HttpResponse): void {
  const isFinished = isHttp2(this) ? isFinishedStream(this.stream) : isFinishedResponse(this);
  let scope: HttpCallScope['parent'] = scopeOn(this);
  while (scope !== undefined) {
    if (scope instanceof HttpCallScope) {
      scope.settle(isFinished);
    }
    scope = scope.parent;
  }
}

/**
 * To Node a response that was cut off has 'finished' as well: it has nothing left to write. And that of Fastify's `inject()`
 * closes before it finishes.
 */
function isFinishedResponse({ writableEnded, writableFinished, req: { socket } }: ServerResponse): boolean {
  return writableEnded && (!socket.destroyed || (writableFinished && socket.writableFinished));
}

/** A reset ends the writable side too, and its 'finish' looks like any other. */
function isFinishedStream(stream: ServerHttp2Stream): boolean {
  return stream.writableFinished && !stream.aborted;
}

function isHttp2(res: HttpResponse): res is Http2ServerResponse {
  return res instanceof Http2ServerResponse;
}
