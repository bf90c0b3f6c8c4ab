import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type Destinations, OPENING_LIMITS, Opening } from './opening/opening.js';
import { checkOptions, type Http2HostOptions } from './options.js';
import { GrpcConnections } from './serving/grpc-connections.js';
import { HttpConnections } from './serving/http-connections.js';
import { guardHttp2 } from './serving/http1-only.js';
import { onlyGrpc, refusingGrpc } from './serving/refused-grpc.js';

export type { Http2HostOptions } from './options.js';

export interface Http2Host extends AsyncDisposable {
  /**
   * Listens, once.
   *
   * @param port 0 for one that is free
   * @param host default: every address of the machine
   * @returns where it listens; rejects with Node's error where it cannot, and may be tried again then.
   */
  listen(port: number, host?: string): Promise<AddressInfo>;
  /**
   * Accepts no more connections, sends GOAWAY, and lets running calls and requests finish; what is left after `graceMs` is
   * cut. Resolves when no connection is open. May be called again, with a shorter grace.
   *
   * @param options.graceMs default 10 000; `Infinity` never cuts
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * One port for the services of a grpc-js server, an HTTP/2 application and HTTP/1.1. With TLS, ALPN says which version of
 * HTTP a client speaks, on plain text its first bytes do; whether an HTTP/2 connection is gRPC's its first request says.
 *
 * @example
 * const host = createHttp2Host({ grpc: server, http: app, tls: { key, cert } });
 * await host.listen(8443);
 *
 * @throws TypeError naming the option, for invalid options.
 */
export function createHttp2Host(options: Http2HostOptions): Http2Host {
  checkOptions(options);
  return new PortHost(options);
}

const DEFAULT_GRACE_MS = 10_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

class PortHost implements Http2Host {
  private readonly grpc: GrpcConnections | undefined;
  private readonly http: HttpConnections;
  private readonly destinations: Destinations;
  private readonly port: Server;
  private readonly sockets = new Set<Socket>();
  private readonly openings = new Set<Opening>();
  private isUsed = false;
  private closed: Promise<void> | undefined;

  constructor({ grpc, http, tls }: Http2HostOptions) {
    const application = http ?? onlyGrpc;
    const serve = (listener: RequestListener): RequestListener =>
      grpc === undefined || http === undefined ? listener : refusingGrpc(listener);
    this.port =
      tls === undefined
        ? createServer({ noDelay: true })
        : createTlsServer({
            minVersion: 'TLSv1.2',
            ...tls,
            allowHalfOpen: false,
            noDelay: true,
            pauseOnConnect: false,
            ALPNProtocols: http === undefined ? ['h2'] : ['h2', 'http/1.1'],
          });
    this.grpc = grpc && new GrpcConnections(grpc);
    this.http = new HttpConnections(serve(application), serve(guardHttp2(application)));
    this.destinations = {
      http1: this.http.takeHttp1,
      http2: http && this.http.takeHttp2,
      grpc: this.grpc?.take,
    };
    this.port.on('connection', (socket) => this.track(socket));
    if (tls === undefined) {
      this.port.on('connection', (socket) => this.open(socket, undefined));
    } else {
      this.port.on('secureConnection', (socket: TLSSocket) => this.openSecure(socket));
    }
  }

  async listen(port: number, host?: string): Promise<AddressInfo> {
    if (this.closed !== undefined) {
      throw new Error('Http2Host.listen(): this host was closed; create another one');
    }
    if (this.isUsed) {
      throw new Error('Http2Host.listen(): this host listens already; create another one for another port');
    }
    this.isUsed = true;
    try {
      this.port.listen(port, host);
      await once(this.port, 'listening');
    } catch (error) {
      this.isUsed = false;
      throw error;
    }
    this.port.on('error', (error) => process.emitWarning(`A connection could not be accepted: ${error.message}`));
    return this.port.address() as AddressInfo;
  }

  close({ graceMs = DEFAULT_GRACE_MS }: { graceMs?: number } = {}): Promise<void> {
    if (typeof graceMs !== 'number' || !(graceMs >= 0)) {
      throw new TypeError(
        `Http2Host.close({ graceMs }): graceMs must be a number of milliseconds, not ${String(graceMs)}`,
      );
    }
    this.closed ??= this.drain();
    if (graceMs > LONGEST_TIMER_MS) {
      return this.closed;
    }
    const timer = setTimeout(() => this.cut(), graceMs);
    return this.closed.finally(() => clearTimeout(timer));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      // The error that it may have is that it did not listen.
      this.port.close(() => resolve());
    });
    for (const opening of this.openings) {
      opening.abandon();
    }
    this.grpc?.drain();
    this.http.drain();
    return closed;
  }

  private cut(): void {
    this.grpc?.cut();
    this.http.cut();
    // After the timer with which grpc-js cuts its calls, so that their clients hear of it.
    setTimeout(() => {
      for (const socket of this.sockets) {
        socket.destroy();
      }
    }, 0);
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // Whoever serves the connection sees its end; in between nobody listens, and an 'error' would be uncaught.
    socket.on('error', () => {});
  }

  private openSecure(socket: TLSSocket): void {
    this.track(socket);
    if (socket.alpnProtocol === 'h2') {
      this.open(socket, 'h2');
    } else {
      // Also of a client that does not know ALPN.
      this.destinations.http1(socket);
    }
  }

  private open(socket: Socket, version: 'h2' | undefined): void {
    const opening = new Opening(socket, this.destinations, OPENING_LIMITS, () => this.openings.delete(opening));
    this.openings.add(opening);
    opening.start(version);
  }
}
