import { type IncomingHttpHeaders, performServerHandshake } from 'node:http2';
import { Duplex } from 'node:stream';
import { ping } from './frames.js';

/**
 * Decodes the first request on a copy of its bytes, with a session of Node's that is thrown away afterwards.
 *
 * @param head what the client sent, up to the end of its first header block
 * @param onHeaders called once; without headers where the session refuses them: the one that gets the connection will
 *   say so to the client
 */
export function readRequestHeaders(head: Buffer, onHeaders: (headers: IncomingHttpHeaders | undefined) => void): void {
  const wire = new Copy();
  const session = performServerHandshake(wire);
  let isDone = false;
  const done = (headers?: IncomingHttpHeaders): void => {
    if (!isDone) {
      isDone = true;
      session.destroy();
      wire.destroy();
      onHeaders(headers);
    }
  };
  session.once('stream', (stream, headers) => {
    stream.on('error', () => {});
    done(headers);
  });
  // Frames are processed in order: once the PING is, headers that have not come will not come. Node emits 'stream' a tick later.
  session.once('ping', () => setImmediate(done));
  session.on('error', () => done());
  session.once('close', () => done());
  wire.push(Buffer.concat([head, ping(Buffer.alloc(8), 0)]));
}

/** A connection whose other end says what it is given and hears nothing. */
class Copy extends Duplex {
  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    callback();
  }
}
