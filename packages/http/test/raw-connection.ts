import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { RunningApp } from './apps.js';

/** A TCP connection on which a test writes its HTTP/1.1 by hand. */
export class RawConnection {
  private received = '';

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
    socket.on('error', () => {});
  }

  static async to(app: RunningApp): Promise<RawConnection> {
    const socket = connect(app.port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** Sends requests in one packet, all that HTTP calls pipelining. */
  get(...paths: string[]): this {
    this.socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join(''));
    return this;
  }

  /** All that has arrived, as soon as `text` is in there. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      await once(this.socket, 'data');
    }
    return this.received;
  }
}
