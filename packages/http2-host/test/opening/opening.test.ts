import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { authority, certificateOf } from '../certificates.js';
import { askHttp1 } from '../clients.js';
import { startEchoHost } from '../echo-host.js';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  GET,
  GOAWAY,
  GRPC_CALL,
  HEADERS,
  headerBlock,
  PING,
  PREFACE,
  SETTINGS,
  SETTINGS_ACK,
  WireClient,
} from '../wire.js';

const OPENING = Buffer.concat([PREFACE, frame(SETTINGS)]);
const REQUEST = frame(HEADERS, END_HEADERS | END_STREAM, 1, GET);
const EMPTY_MESSAGE = frame(DATA, END_STREAM, 1, Buffer.alloc(5));
const isOfServer = ({ flags }: Frame): boolean => (flags & ACK) === 0;

/** Who answered: the application says which HTTP it was asked in, the service `echo`. */
async function answererOf(client: WireClient): Promise<string> {
  const { payload } = await client.received(DATA, (each) => each.payload.length > 0);
  return payload.includes('echo') ? 'gRPC' : payload.includes('2.0') ? 'HTTP' : String(payload);
}

describe('a client', () => {
  test('that waits for the SETTINGS of a plain-text server before its first request gets them', async () => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    client.send(OPENING);
    await client.received(SETTINGS);

    client.send(SETTINGS_ACK, REQUEST);

    expect(await answererOf(client)).toBe('HTTP');
  });

  test('that sends nothing before it has seen the SETTINGS of a TLS server gets them', async () => {
    const signer = await authority();
    await using host = await startEchoHost({ tls: await certificateOf('server', signer) });
    const options = {
      port: host.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: signer.cert,
      ALPNProtocols: ['h2'],
    };
    const socket = connectTls(options);
    await once(socket, 'secureConnect');
    using client = new WireClient(socket);
    await client.received(SETTINGS);

    client.send(OPENING, SETTINGS_ACK, REQUEST);

    expect(await answererOf(client)).toBe('HTTP');
  });

  test('that sends its request with its first bytes is answered once it has acknowledged the SETTINGS', async () => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    client.send(OPENING, REQUEST);
    await client.received(SETTINGS);
    const early = client.frames.length;

    client.send(SETTINGS_ACK);
    await client.received(HEADERS);

    expect(early).toBe(1);
  });

  test('gets one acknowledgement of its SETTINGS, and SETTINGS whose acknowledgement ends nothing', async () => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    client.send(OPENING, REQUEST);
    await client.received(SETTINGS);
    client.send(SETTINGS_ACK);
    await client.received(HEADERS);

    // The session's own SETTINGS, the second ones.
    client.send(SETTINGS_ACK, frame(PING, 0, 0, 'afterall'));
    await client.received(PING);

    const settings = client.frames.filter(({ type }) => type === SETTINGS);
    expect(settings.filter(isOfServer).length).toBe(2);
    expect(settings.filter((each) => !isOfServer(each)).length).toBe(1);
  });

  test.each<[string, Buffer, string]>([
    ['gRPC', Buffer.concat([frame(HEADERS, END_HEADERS, 1, GRPC_CALL), EMPTY_MESSAGE]), 'gRPC'],
    ['HTTP', REQUEST, 'HTTP'],
  ])('that sends one byte at a time is served: %s', async (_name, request, answerer) => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);

    for (const byte of Buffer.concat([OPENING, SETTINGS_ACK, request])) {
      client.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }

    expect(await answererOf(client)).toBe(answerer);
  });

  test.each<[string, Buffer]>([
    ['gRPC', Buffer.concat([frame(HEADERS, END_HEADERS, 1, GRPC_CALL), EMPTY_MESSAGE])],
    ['HTTP', REQUEST],
  ])('that leaves after its request was served is let go: %s', async (_name, request) => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    client.send(OPENING, SETTINGS_ACK, request);
    await client.received(DATA);

    client.socket.end();

    await client.closed;
  });

  const priority = frame(2, 0, 3, Buffer.alloc(5));
  const windowUpdate = frame(8, 0, 0, Buffer.from([0, 1, 0, 0]));
  const padded = frame(HEADERS, END_HEADERS | 0x8, 1, Buffer.concat([Buffer.from([3]), GRPC_CALL, Buffer.alloc(3)]));
  const weighted = frame(HEADERS, END_HEADERS | 0x20, 1, Buffer.concat([Buffer.alloc(5), GRPC_CALL]));
  const continued = Buffer.concat([
    frame(HEADERS, 0, 1, GRPC_CALL.subarray(0, 20)),
    frame(CONTINUATION, 0, 1, GRPC_CALL.subarray(20, 40)),
    frame(CONTINUATION, END_HEADERS, 1, GRPC_CALL.subarray(40)),
  ]);
  const plain = frame(HEADERS, END_HEADERS, 1, GRPC_CALL);
  test.each<[string, Buffer[]]>([
    ['frames before the request', [windowUpdate, priority, plain, EMPTY_MESSAGE, SETTINGS_ACK]],
    ['the acknowledgement between headers and body', [plain, SETTINGS_ACK, EMPTY_MESSAGE]],
    ['padded headers', [SETTINGS_ACK, padded, EMPTY_MESSAGE]],
    ['headers with a priority', [SETTINGS_ACK, weighted, EMPTY_MESSAGE]],
    ['headers in several frames', [SETTINGS_ACK, continued, EMPTY_MESSAGE]],
    ['frames of an unknown type', [frame(0xee, 0xff, 5, 'anything'), plain, EMPTY_MESSAGE, SETTINGS_ACK]],
  ])('is understood with %s', async (_name, parts) => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);

    client.send(OPENING, ...parts);

    expect(await answererOf(client)).toBe('gRPC');
  });

  test('that pings before its first request is answered, once', async () => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);

    client.send(OPENING, frame(PING, 0, 0, 'are you?'));
    const { flags, payload } = await client.received(PING);
    client.send(SETTINGS_ACK, REQUEST);
    await client.received(HEADERS);

    expect([flags, String(payload)]).toEqual([ACK, 'are you?']);
    expect(client.frames.filter(({ type }) => type === PING).length).toBe(1);
  });

  test.each(['application/grpc', 'application/grpc+proto', 'application/grpc;x=1'])("of %s is gRPC's", async (type) => {
    expect(await answererFor(type)).toBe('gRPC');
  });

  test.each(['application/grpc-web', 'application/grpc-web+proto', 'application/json'])(
    "of %s is HTTP's",
    async (type) => {
      expect(await answererFor(type)).toBe('HTTP');
    },
  );

  async function answererFor(contentType: string): Promise<string> {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    const head = {
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': 'localhost',
      ':path': '/grpc_di.test.v1.Leaf/Unary',
      'content-type': contentType,
    };
    client.send(OPENING, SETTINGS_ACK, frame(HEADERS, END_HEADERS, 1, headerBlock(head)), EMPTY_MESSAGE);
    return await answererOf(client);
  }

  test('of HTTP/1.1 may send its request in pieces, and end its side after it', async () => {
    await using host = await startEchoHost();
    const socket = connect({ port: host.port, host: '127.0.0.1', allowHalfOpen: true });

    for (const byte of 'PROPFIND /pieces HTTP/1.1\r\n') {
      socket.write(byte);
      await new Promise(setImmediate);
    }
    socket.end('host: x\r\nconnection: close\r\n\r\n');

    expect(Buffer.concat((await socket.toArray()) as Buffer[]).toString()).toContain('PROPFIND /pieces 1.1 0');
  });
});

describe('what is not HTTP/2 ends the connection, and no other', () => {
  const tooLarge = frame(SETTINGS).fill(0xff, 0, 3);
  test.each<[string, Buffer, number]>([
    ['a first frame that is not SETTINGS', Buffer.concat([PREFACE, REQUEST]), constants.NGHTTP2_PROTOCOL_ERROR],
    ['a first frame that acknowledges', Buffer.concat([PREFACE, SETTINGS_ACK]), constants.NGHTTP2_PROTOCOL_ERROR],
    ['a frame beyond the limit', Buffer.concat([PREFACE, tooLarge]), constants.NGHTTP2_FRAME_SIZE_ERROR],
    [
      'an acknowledgement with content',
      Buffer.concat([OPENING, frame(SETTINGS, ACK, 0, 'abcdef')]),
      constants.NGHTTP2_FRAME_SIZE_ERROR,
    ],
    ['a PING of another size', Buffer.concat([OPENING, frame(PING, 0, 0, 'x')]), constants.NGHTTP2_FRAME_SIZE_ERROR],
    [
      'a CONTINUATION of nothing',
      Buffer.concat([OPENING, frame(CONTINUATION, 0, 1)]),
      constants.NGHTTP2_PROTOCOL_ERROR,
    ],
    [
      'headers that are interrupted',
      Buffer.concat([OPENING, frame(HEADERS, 0, 1, GET), frame(PING, 0, 0, 'x'.repeat(8))]),
      constants.NGHTTP2_PROTOCOL_ERROR,
    ],
  ])('%s', async (_name, bytes, code) => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);

    client.send(bytes);

    expect((await client.received(GOAWAY)).payload.readUInt32BE(4)).toBe(code);
    await client.closed;
    expect((await askHttp1(host.port)).body).toBe('GET / 1.1 0');
  });

  // What the frames alone do not tell is left to the session that Node makes: its code, and whether it closes at once.
  test.each<[string, Buffer]>([
    ['headers that no table explains', frame(HEADERS, END_HEADERS, 1, Buffer.alloc(9, 0xfe))],
    ['a stream that a client cannot open', frame(HEADERS, END_HEADERS, 2, GET)],
  ])('%s', async (_name, bytes) => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);

    client.send(OPENING, SETTINGS_ACK, bytes);

    expect((await client.received(GOAWAY)).payload.readUInt32BE(4)).not.toBe(constants.NGHTTP2_NO_ERROR);
  });

  test('after the same preface: random bytes of any kind', async () => {
    await using host = await startEchoHost();
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 0x7fff_ffff;
      return seed;
    };

    for (let n = 0; n < 100; n += 1) {
      using client = await WireClient.connect(host.port);
      const noise = Buffer.from(Array.from({ length: 200 }, () => random() & 0xff));
      client.send([PREFACE, OPENING, Buffer.concat([OPENING, SETTINGS_ACK])][n % 3]!, noise);
      client.socket.end();
      await client.closed;
    }

    expect((await askHttp1(host.port)).body).toBe('GET / 1.1 0');
  });

  test.each<[string, (client: WireClient) => unknown]>([
    ['ended', ({ socket }) => socket.end()],
    ['reset', ({ socket }) => socket.resetAndDestroy()],
  ])('a connection that is %s at any byte before its request', async (_how, cut) => {
    await using host = await startEchoHost();
    const bytes = Buffer.concat([OPENING, SETTINGS_ACK, REQUEST]);

    for (let length = 0; length < bytes.length; length += 1) {
      using client = await WireClient.connect(host.port);
      await new Promise((resolve) => client.socket.write(bytes.subarray(0, length), resolve));
      cut(client);
      await client.closed;
    }

    expect((await askHttp1(host.port)).body).toBe('GET / 1.1 0');
  });
});

describe('a client that does not come to its request', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('is refused after 256 KiB', async () => {
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    // Without the acknowledgement no request is complete.
    client.send(OPENING, frame(HEADERS, END_HEADERS, 1, GRPC_CALL));
    await client.received(SETTINGS);

    // One at a time, so that what is in flight when the host closes does not tear down its GOAWAY.
    let sent = 0;
    for (; client.socket.writable && sent < 300 * 1024; sent += 16_393) {
      await new Promise((resolve) => client.socket.write(frame(DATA, 0, 1, Buffer.alloc(16_384)), resolve));
      await new Promise(setImmediate);
    }
    await client.closed;

    expect(sent).toBeGreaterThan(256 * 1024 - 16_384);
  });

  test.each<[string, Buffer[], number | undefined]>([
    ['nothing at all', [], undefined],
    ['half a preface', [PREFACE.subarray(0, 10)], undefined],
    ['no request', [OPENING, SETTINGS_ACK], constants.NGHTTP2_NO_ERROR],
    ['no acknowledgement', [OPENING, REQUEST], constants.NGHTTP2_NO_ERROR],
  ])('is refused after 10 s: %s', async (_name, parts, code) => {
    const setTimer = jest.spyOn(globalThis, 'setTimeout');
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    client.send(...parts);
    if (code !== undefined) {
      await client.received(SETTINGS);
    }
    const isTimed = ([, milliseconds]: readonly unknown[]): boolean => milliseconds === 10_000;
    while (!setTimer.mock.calls.some(isTimed)) {
      await new Promise(setImmediate);
    }

    const [expire] = setTimer.mock.calls.find(isTimed)!;
    expire();

    await client.closed;
    const goaway = client.frames.find(({ type }) => type === GOAWAY);
    expect(goaway?.payload.readUInt32BE(4)).toBe(code);
  });

  test('is not refused once its request is served', async () => {
    const clearTimer = jest.spyOn(globalThis, 'clearTimeout');
    const setTimer = jest.spyOn(globalThis, 'setTimeout');
    await using host = await startEchoHost();
    using client = await WireClient.connect(host.port);
    client.send(OPENING, SETTINGS_ACK, REQUEST);
    await client.received(HEADERS);

    const index = setTimer.mock.calls.findIndex(([, milliseconds]) => milliseconds === 10_000);
    expect(clearTimer).toHaveBeenCalledWith(setTimer.mock.results[index]!.value as NodeJS.Timeout);
  });
});
