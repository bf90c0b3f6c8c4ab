import { createServer as createHttp1Server, type RequestListener, type ServerResponse } from 'node:http';
import { constants, createServer as createHttp2Server, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** The connections that Node's own HTTP servers serve; neither of them listens anywhere. */
export class HttpConnections {
  private readonly http1;
  private readonly http2;
  private readonly sessions = new Set<Http2Session>();
  private readonly responses = new Map<Socket, Set<ServerResponse>>();
  private isDraining = false;

  constructor(http1Listener: RequestListener, http2Listener: RequestListener) {
    this.http1 = createHttp1Server((request, response) => {
      this.track(request.socket, response);
      http1Listener(request, response);
    });
    // From this event on Node counts headersTimeout and requestTimeout.
    this.http1.emit('listening');
    this.http2 = createHttp2Server(http2Listener as unknown as Parameters<typeof createHttp2Server>[1]);
    this.http2.on('session', (session) => {
      this.sessions.add(session);
      session.once('close', () => this.sessions.delete(session));
    });
  }

  readonly takeHttp1 = (socket: Socket): void => {
    this.responses.set(socket, new Set());
    socket.once('close', () => this.responses.delete(socket));
    this.http1.emit('connection', socket);
    // Bytes that were read and put back wait in the stream, where Node's parser does not look by itself.
    socket.resume();
  };

  readonly takeHttp2 = (socket: Socket): void => {
    this.http2.emit('connection', socket);
  };

  /** Sends GOAWAY, closes idle connections; the others close with their last response. */
  drain(): void {
    this.isDraining = true;
    this.http1.close();
    for (const session of this.sessions) {
      session.close();
    }
    for (const [socket, responses] of this.responses) {
      for (const response of responses) {
        response.shouldKeepAlive = false;
      }
      if (responses.size === 0) {
        socket.destroySoon();
      }
    }
  }

  /** Cancels the requests that are left. */
  cut(): void {
    for (const session of this.sessions) {
      session.destroy(undefined, constants.NGHTTP2_CANCEL);
    }
  }

  private track(socket: Socket, response: ServerResponse): void {
    const responses = this.responses.get(socket);
    responses?.add(response);
    // A client that keeps its connection busy must not keep it open for ever.
    response.shouldKeepAlive &&= !this.isDraining;
    response.once('close', () => {
      responses?.delete(response);
      if (this.isDraining && responses?.size === 0) {
        socket.destroySoon();
      }
    });
  }
}
