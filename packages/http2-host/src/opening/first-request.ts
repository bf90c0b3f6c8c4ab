import { constants } from 'node:http2';
import {
  CLIENT_PREFACE,
  Flag,
  FRAME_HEADER_OCTETS,
  type FrameHeader,
  FrameType,
  frameHeaderAt,
  MAX_FRAME_OCTETS,
} from './frames.js';

/**
 * Reads what an HTTP/2 client sends until its first request is there, however the bytes are cut into chunks.
 *
 * It takes two kinds of frames out of the bytes, because they belong to a conversation that the session which comes
 * later knows nothing of: the acknowledgement of the SETTINGS that the host sent (left in, the session takes it for its
 * own, and the one that then comes for its own ends the connection), and PINGs, which are answered at once.
 */
export class FirstRequest {
  /** The payloads of PINGs that want an answer. */
  readonly pings: Buffer[] = [];

  private unread: Buffer[] = [];
  private unreadOctets = 0;
  private wantedOctets = CLIENT_PREFACE.length;
  private frame: FrameHeader | undefined;

  private readonly kept: Buffer[] = [];
  /** Up to here in `kept` goes the first header block; 0 as long as it is not complete. */
  private headChunks = 0;
  private openBlock: number | undefined;
  private isAcknowledged = false;

  /** Nothing needs to be read any more: the first header block is complete, and the host's SETTINGS are acknowledged. */
  get isComplete(): boolean {
    return this.headChunks > 0 && this.isAcknowledged;
  }

  /** What the client sent up to the end of its first header block. */
  get head(): Buffer {
    return Buffer.concat(this.kept.slice(0, this.headChunks));
  }

  /** What the session has to read. */
  get bytes(): Buffer {
    return Buffer.concat([...this.kept, ...this.unread]);
  }

  /** @throws ConnectionFault, when this is not HTTP/2. */
  push(chunk: Buffer): void {
    this.unread.push(chunk);
    this.unreadOctets += chunk.length;
    while (!this.isComplete && this.unreadOctets >= this.wantedOctets) {
      this.read(this.takeWanted());
    }
  }

  private takeWanted(): Buffer {
    const all = Buffer.concat(this.unread);
    const wanted = all.subarray(0, this.wantedOctets);
    this.unread = [all.subarray(this.wantedOctets)];
    this.unreadOctets -= wanted.length;
    return wanted;
  }

  /** `bytes` are the preface, a frame's header, or its payload: whichever comes next. */
  private read(bytes: Buffer): void {
    if (this.kept.length === 0) {
      if (!bytes.equals(CLIENT_PREFACE)) {
        throw new ConnectionFault(constants.NGHTTP2_PROTOCOL_ERROR, 'this is not the client preface of HTTP/2');
      }
      this.kept.push(bytes);
    } else if (this.frame === undefined) {
      this.frame = frameHeaderAt(bytes, 0);
      this.check(this.frame);
      if (this.frame.length > 0) {
        this.unread.unshift(bytes);
        this.unreadOctets += bytes.length;
        this.wantedOctets = FRAME_HEADER_OCTETS + this.frame.length;
        return;
      }
      this.readFrame(this.frame, bytes);
    } else {
      this.readFrame(this.frame, bytes);
    }
    this.frame = undefined;
    this.wantedOctets = FRAME_HEADER_OCTETS;
  }

  private check({ length, type, flags, streamId }: FrameHeader): void {
    if (length > MAX_FRAME_OCTETS) {
      throw new ConnectionFault(constants.NGHTTP2_FRAME_SIZE_ERROR, `a frame of ${length} octets, the limit is 16384`);
    }
    const isAck = (flags & Flag.ACK) !== 0;
    if (this.kept.length === 1 && (type !== FrameType.SETTINGS || isAck)) {
      throw new ConnectionFault(constants.NGHTTP2_PROTOCOL_ERROR, 'the first frame is not SETTINGS');
    }
    const continues = type === FrameType.CONTINUATION && streamId === this.openBlock;
    if ((this.openBlock !== undefined || type === FrameType.CONTINUATION) && !continues) {
      throw new ConnectionFault(constants.NGHTTP2_PROTOCOL_ERROR, 'a header block is not continued');
    }
    if ((type === FrameType.SETTINGS && isAck && length !== 0) || (type === FrameType.PING && length !== 8)) {
      throw new ConnectionFault(constants.NGHTTP2_FRAME_SIZE_ERROR, `a frame of type ${type} with ${length} octets`);
    }
  }

  private readFrame({ type, flags, streamId }: FrameHeader, bytes: Buffer): void {
    const isAck = (flags & Flag.ACK) !== 0;
    if (type === FrameType.SETTINGS && isAck && !this.isAcknowledged) {
      this.isAcknowledged = true;
      return;
    }
    if (type === FrameType.PING && !isAck) {
      this.pings.push(bytes.subarray(FRAME_HEADER_OCTETS));
      return;
    }
    this.kept.push(bytes);
    if (type === FrameType.HEADERS || type === FrameType.CONTINUATION) {
      const isEnd = (flags & Flag.END_HEADERS) !== 0;
      this.openBlock = isEnd ? undefined : streamId;
      if (isEnd && this.headChunks === 0) {
        this.headChunks = this.kept.length;
      }
    }
  }
}

/** What the client sent ends the connection. */
export class ConnectionFault extends Error {
  /** HTTP/2's. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
