// RFC 9113, sections 3.4, 4.1 and 6: as much of HTTP/2's framing as is needed before a session owns the connection.

export const CLIENT_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const FRAME_HEADER_OCTETS = 9;

/** SETTINGS_MAX_FRAME_SIZE, which holds as long as nobody was told another. */
export const MAX_FRAME_OCTETS = 16_384;

export const FrameType = { HEADERS: 1, SETTINGS: 4, PING: 6, GOAWAY: 7, CONTINUATION: 9 } as const;

export const Flag = { ACK: 0x1, END_HEADERS: 0x4 } as const;

export interface FrameHeader {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

export function frameHeaderAt(bytes: Buffer, offset: number): FrameHeader {
  return {
    length: bytes.readUIntBE(offset, 3),
    type: bytes.readUInt8(offset + 3),
    flags: bytes.readUInt8(offset + 4),
    // The first bit is reserved.
    streamId: bytes.readUInt32BE(offset + 5) & 0x7fff_ffff,
  };
}

export const EMPTY_SETTINGS = connectionFrame(FrameType.SETTINGS, 0, Buffer.alloc(0));

export function ping(payload: Buffer, flags: number): Buffer {
  return connectionFrame(FrameType.PING, flags, payload);
}

/** Says that no stream was processed, so that the client may send its requests again elsewhere. */
export function goaway(errorCode: number, debugData: string): Buffer {
  const codes = Buffer.alloc(8);
  codes.writeUInt32BE(errorCode, 4);
  return connectionFrame(FrameType.GOAWAY, 0, Buffer.concat([codes, Buffer.from(debugData)]));
}

function connectionFrame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_OCTETS);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  return Buffer.concat([header, payload]);
}
