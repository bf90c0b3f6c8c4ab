import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const CONTINUATION = 9;
export const ACK = 1;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags = 0, streamId = 0, payload: Buffer | string = ''): Buffer {
  const content = Buffer.from(payload);
  const header = Buffer.alloc(9);
  header.writeUIntBE(content.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, content]);
}

export const SETTINGS_ACK = frame(SETTINGS, ACK);

/** RFC 7541: what an empty table needs, every field as a literal; numbers stay below 127. */
export function headerBlock(fields: Record<string, string>): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  );
}

export const GET = headerBlock({ ':method': 'GET', ':scheme': 'http', ':authority': 'localhost', ':path': '/' });

export const GRPC_CALL = headerBlock({
  ':method': 'POST',
  ':scheme': 'http',
  ':authority': 'localhost',
  ':path': '/grpc_di.test.v1.Leaf/Unary',
  'content-type': 'application/grpc',
  te: 'trailers',
});

/** An HTTP/2 client that does what the test says, and nothing by itself. */
export class WireClient implements Disposable {
  readonly frames: Frame[] = [];
  /** How the connection ended, once it has. */
  readonly closed: Promise<void>;
  private readonly events = new EventEmitter().setMaxListeners(0);
  private unread = Buffer.alloc(0);
  private isClosed = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    // A connection that the host cuts may end with a reset.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        this.events.emit('frame');
        resolve();
      });
    });
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  send(...parts: Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The first frame that came, or will come, of this type. */
  async received(type: number, matches: (frame: Frame) => boolean = () => true): Promise<Frame> {
    for (;;) {
      const found = this.frames.find((each) => each.type === type && matches(each));
      if (found !== undefined) {
        return found;
      }
      if (this.isClosed) {
        throw new Error(
          `the connection was closed before a frame of type ${type}, after ${JSON.stringify(this.frames)}`,
        );
      }
      await once(this.events, 'frame');
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    this.unread = Buffer.concat([this.unread, chunk]);
    while (this.unread.length >= 9 && this.unread.length >= 9 + this.unread.readUIntBE(0, 3)) {
      const length = this.unread.readUIntBE(0, 3);
      this.frames.push({
        type: this.unread.readUInt8(3),
        flags: this.unread.readUInt8(4),
        streamId: this.unread.readUInt32BE(5),
        payload: this.unread.subarray(9, 9 + length),
      });
      this.unread = this.unread.subarray(9 + length);
      this.events.emit('frame');
    }
  }
}
