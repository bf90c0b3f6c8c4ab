import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { resetStream } from '@grpc-di/http2-host';
import { describe, expect, test } from '@jest/globals';
import { askHttp1, http2Client } from '../clients.js';
import { END_HEADERS, END_STREAM, frame, GET, HEADERS, PREFACE, RST_STREAM, SETTINGS, WireClient } from '../wire.js';
import { startApp } from './app.js';

const CODES = [0, 2, 7, 8, 11];

const STATES: [string, (res: ServerResponse) => void][] = [
  ['before the headers', () => {}],
  ['after the headers', (res) => res.writeHead(200).flushHeaders()],
  ['after a part of the body', (res) => res.write('part')],
  ['while the body waits for its client', (res) => res.write(Buffer.alloc(32_000_000))],
  ['while an ended body waits for its client', (res) => res.end(Buffer.alloc(32_000_000))],
];

describe('on HTTP/2', () => {
  describe.each(STATES)('%s', (_name, prepare) => {
    test.each(CODES)('the client gets RST_STREAM with code %i', async (code) => {
      await using app = await startApp((_req, res) => {
        prepare(res);
        setImmediate(() => resetStream(res, code));
      });
      using client = await WireClient.connect(app.port);

      client.send(PREFACE, frame(SETTINGS), frame(HEADERS, END_HEADERS | END_STREAM, 1, GET));

      expect((await client.received(RST_STREAM)).payload.readUInt32BE()).toBe(code);
    });
  });

  test("Node's client sees the code", async () => {
    await using app = await startApp((_req, res) => resetStream(res, 11));
    const client = http2Client(app.port);
    const stream = client.request({ ':path': '/' });

    const [error] = await once(stream, 'error');

    expect([stream.rstCode, (error as Error).message]).toEqual([11, expect.stringContaining('ENHANCE_YOUR_CALM')]);
    client.destroy();
  });

  test('the request counts as aborted, and its stream as closed with the code', async () => {
    let seen: unknown;
    await using app = await startApp((req, res) => {
      res.write('part');
      res.once('close', () => {
        const { stream } = res as unknown as { stream: { rstCode: number; aborted: boolean } };
        seen = [stream.aborted, stream.rstCode, res.writableEnded];
      });
      req.resume();
      resetStream(res, 8);
    });
    using client = await WireClient.connect(app.port);

    client.send(PREFACE, frame(SETTINGS), frame(HEADERS, END_HEADERS | END_STREAM, 1, GET));
    await client.received(RST_STREAM);

    expect(seen).toEqual([true, 8, false]);
  });

  test('other streams of the connection go on', async () => {
    await using app = await startApp((req, res) => {
      if (req.url === '/reset') {
        resetStream(res, 2);
      } else {
        res.end('fine');
      }
    });
    const client = http2Client(app.port);
    const reset = client.request({ ':path': '/reset' });
    await once(reset, 'error');

    const chunks = (await client.request({ ':path': '/' }).toArray()) as Buffer[];

    expect(Buffer.concat(chunks).toString()).toBe('fine');
    client.destroy();
  });

  // gRPC over HTTP/2, "Errors": the codes that have a status of their own; grpc-js takes the others for INTERNAL.
  test.each([
    ...[0, 1, 2, 3, 4, 5, 6, 9, 10, 13].map((code) => [code, status.INTERNAL, 1] as const),
    // Nothing was done: grpc-js tries once more by itself.
    [7, status.UNAVAILABLE, 2] as const,
    [8, status.CANCELLED, 1] as const,
    [11, status.RESOURCE_EXHAUSTED, 1] as const,
    [12, status.PERMISSION_DENIED, 1] as const,
  ])('a grpc-js client makes of code %i the status %i, after %i attempts', async (code, expected, attempts) => {
    let arrived = 0;
    await using app = await startApp((_req, res) => {
      arrived += 1;
      resetStream(res, code);
    });
    const client = new Client(`127.0.0.1:${app.port}`, credentials.createInsecure());

    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(
        '/any/Method',
        () => Buffer.alloc(0),
        () => ({}),
        {},
        resolve,
      );
    });

    expect([error?.code, arrived]).toEqual([expected, attempts]);
    client.close();
  });
});

describe('on HTTP/1.1', () => {
  test.each(STATES)('the connection is closed, %s', async (_name, prepare) => {
    await using app = await startApp((_req, res) => {
      prepare(res);
      setImmediate(() => resetStream(res, 2));
    });

    await expect(askHttp1(app.port)).rejects.toThrow(/hang up|aborted|ECONNRESET/);
  });

  test('the response closes without having finished', async () => {
    const events: string[] = [];
    await using app = await startApp((_req, res) => {
      res.on('finish', () => events.push('finish')).on('close', () => events.push('close'));
      res.write('part');
      resetStream(res, 2);
    });

    await expect(askHttp1(app.port)).rejects.toThrow();

    expect(events).toEqual(['close']);
  });
});

test('a response that has been sent stays as it is', async () => {
  await using app = await startApp((_req, res) => {
    res.end('whole');
    res.once('close', () => resetStream(res, 2));
  });
  const client = http2Client(app.port);
  const chunks = (await client.request({ ':path': '/' }).toArray()) as Buffer[];

  expect(Buffer.concat(chunks).toString()).toBe('whole');
  expect((await askHttp1(app.port)).body).toBe('whole');
  client.destroy();
});

test.each([-1, 14, 1.5, Number.NaN, '8', undefined])('the code %s is refused', async (code) => {
  let error: unknown;
  await using app = await startApp((_req, res) => {
    try {
      resetStream(res, code as number);
    } catch (thrown) {
      error = thrown;
    }
    res.end('still there');
  });

  expect((await askHttp1(app.port)).body).toBe('still there');
  expect(String(error)).toMatch(/^TypeError: resetStream\(res, errorCode\): .* integer from 0 to 13/);
});
