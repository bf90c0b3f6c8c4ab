import { constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { isGrpcContentType } from '../grpc-content-type.js';
import { ConnectionFault, FirstRequest } from './first-request.js';
import { CLIENT_PREFACE, EMPTY_SETTINGS, Flag, goaway, ping } from './frames.js';
import { readRequestHeaders } from './request-headers.js';

/** Who serves a connection, once it is known what its client speaks. */
export interface Destinations {
  readonly http1: (socket: Socket) => void;
  /** Undefined where the host has no HTTP application. */
  readonly http2: ((socket: Socket) => void) | undefined;
  /** Undefined where the host has no gRPC services. */
  readonly grpc: ((socket: Socket) => void) | undefined;
}

/** How much, and for how long, a client may send before its first request is complete. */
export interface OpeningLimits {
  readonly octets: number;
  readonly milliseconds: number;
}

export const OPENING_LIMITS: OpeningLimits = { octets: 256 * 1024, milliseconds: 10_000 };

/**
 * A connection from its first byte to its first request, which decides who gets it. Then every byte goes back to where
 * it was read, and this is out of the way.
 */
export class Opening {
  private octets = 0;
  private unsent = 0;
  private readonly firstBytes: Buffer[] = [];
  private firstRequest: FirstRequest | undefined;
  private isOver = false;
  private timer: NodeJS.Timeout | undefined;
  private onSent: (() => void) | undefined;

  /** @param onOver called once: somebody else has the connection, or it is closed */
  constructor(
    private readonly socket: Socket,
    private readonly destinations: Destinations,
    private readonly limits: OpeningLimits,
    private readonly onOver: () => void,
  ) {}

  /** @param version what TLS agreed upon; undefined on plain text, where the first bytes say it */
  start(version: 'h2' | undefined): void {
    const { milliseconds } = this.limits;
    this.timer = setTimeout(() => {
      this.refuse(constants.NGHTTP2_NO_ERROR, `no request within ${milliseconds} ms`);
    }, milliseconds);
    this.socket.on('data', this.onData).on('end', this.onLost).on('close', this.onLost);
    if (version === 'h2') {
      this.startHttp2(Buffer.alloc(0));
    }
  }

  /** Closes the connection, on which nothing was asked yet. */
  abandon(): void {
    this.refuse(constants.NGHTTP2_NO_ERROR, 'the server is shutting down');
  }

  private readonly onData = (chunk: Buffer): void => {
    this.octets += chunk.length;
    if (this.octets > this.limits.octets) {
      this.refuse(constants.NGHTTP2_ENHANCE_YOUR_CALM, `no request within ${this.limits.octets} octets`);
    } else if (this.firstRequest === undefined) {
      this.readVersion(chunk);
    } else {
      this.readFrames(chunk);
    }
  };

  private readonly onLost = (): void => {
    this.leave();
    this.socket.destroy();
  };

  private readVersion(chunk: Buffer): void {
    this.firstBytes.push(chunk);
    const bytes = Buffer.concat(this.firstBytes);
    const known = Math.min(bytes.length, CLIENT_PREFACE.length);
    if (CLIENT_PREFACE.compare(bytes, 0, known, 0, known) !== 0) {
      this.handOver(bytes, this.destinations.http1);
    } else if (known === CLIENT_PREFACE.length) {
      this.startHttp2(bytes);
    }
  }

  private startHttp2(bytes: Buffer): void {
    const { grpc, http2 } = this.destinations;
    if (grpc === undefined || http2 === undefined) {
      this.handOver(bytes, (grpc ?? http2)!);
      return;
    }
    // Clients such as grpc-go's send no request before they have seen the server's SETTINGS. These are without
    // content; the session that gets the connection sends its own.
    this.firstRequest = new FirstRequest();
    this.send(EMPTY_SETTINGS);
    this.readFrames(bytes);
  }

  private readFrames(chunk: Buffer): void {
    const request = this.firstRequest!;
    try {
      request.push(chunk);
    } catch (error) {
      const fault = error as ConnectionFault;
      this.refuse(fault.code, fault.message);
      return;
    }
    for (const payload of request.pings.splice(0)) {
      this.send(ping(payload, Flag.ACK));
    }
    if (request.isComplete) {
      this.socket.off('data', this.onData).pause();
      readRequestHeaders(request.head, (headers) => this.decide(request.bytes, headers));
    }
  }

  private decide(bytes: Buffer, headers: IncomingHttpHeaders | undefined): void {
    const { grpc, http2 } = this.destinations;
    this.handOver(bytes, isGrpcContentType(headers?.['content-type']) ? grpc! : http2!);
  }

  private send(frame: Buffer): void {
    this.unsent += 1;
    this.socket.write(frame, () => {
      this.unsent -= 1;
      this.onSent?.();
    });
  }

  private handOver(bytes: Buffer, destination: (socket: Socket) => void): void {
    if (this.isOver) {
      return;
    }
    this.socket.off('data', this.onData).pause();
    // A session writes past the stream, straight to the handle: TLS aborts the process on two writes at once.
    if (this.unsent > 0) {
      this.onSent = () => this.handOver(bytes, destination);
      return;
    }
    this.leave();
    if (bytes.length > 0) {
      this.socket.unshift(bytes);
    }
    destination(this.socket);
  }

  private refuse(code: number, why: string): void {
    if (this.isOver) {
      return;
    }
    this.leave();
    if (this.firstRequest !== undefined) {
      this.socket.write(goaway(code, why));
    }
    this.socket.destroySoon();
  }

  private leave(): void {
    if (!this.isOver) {
      this.isOver = true;
      clearTimeout(this.timer);
      this.socket.off('data', this.onData).off('end', this.onLost).off('close', this.onLost);
      this.onOver();
    }
  }
}
