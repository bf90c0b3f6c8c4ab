import { type IncomingHttpHeaders, performServerHandshake } from 'node:http2';
import { Duplex } from 'node:stream';
import { FRAME_HEADER_OCTETS, FrameType, frameHeaderAt, ping } from './frames.js';

/**
 * Decodes the first request on a copy of its bytes, with a session of Node's that is thrown away afterwards.
 *
 * @param head what the client sent, up to the end of its first header block
 * @param onHeaders called once; without headers where the session refuses them: the one that gets the connection will
 *   say so to the client
 */
export function readRequestHeaders(head: Buffer, onHeaders: (headers: IncomingHttpHeaders | undefined) => void): void {
  let isDone = false;
  const done = (headers?: IncomingHttpHeaders): void => {
    if (!isDone) {
      isDone = true;
      session.destroy();
      wire.destroy();
      onHeaders(headers);
    }
  };
  // Frames are processed in order: once the PING is answered, headers that have not come will not come; and after a
  // GOAWAY nothing does. Node emits 'stream' a tick after it has read the headers.
  const wire = new Copy(() => setImmediate(done));
  const session = performServerHandshake(wire);
  session.once('stream', (stream, headers) => {
    stream.on('error', () => {});
    done(headers);
  });
  session.on('error', () => done());
  session.once('close', () => done());
  wire.push(Buffer.concat([head, ping(Buffer.alloc(8), 0)]));
}

/** A connection whose client has said all; what it hears back is of interest only where it is the last word. */
class Copy extends Duplex {
  private heard = Buffer.alloc(0);

  constructor(private readonly onLastWord: () => void) {
    super();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.heard = Buffer.concat([this.heard, chunk]);
    while (this.heard.length >= FRAME_HEADER_OCTETS) {
      const { length, type } = frameHeaderAt(this.heard, 0);
      if (type === FrameType.PING || type === FrameType.GOAWAY) {
        this.onLastWord();
      }
      this.heard = this.heard.subarray(FRAME_HEADER_OCTETS + length);
    }
    callback();
  }
}
