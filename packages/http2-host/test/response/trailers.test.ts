import type { RequestListener, ServerResponse } from 'node:http';
import { appendTrailer, declareTrailer, supportsTrailers } from '@grpc-di/http2-host';
import { describe, expect, test } from '@jest/globals';
import { type Answer, askHttp1, askHttp2, http2Client } from '../clients.js';
import { startApp } from './app.js';

type Ask = (port: number, options?: { method?: string }) => Promise<Answer>;

const OVER_HTTP2: Ask = async (port, { method = 'GET' } = {}) => {
  const client = http2Client(port);
  try {
    return await askHttp2(client, { ':method': method });
  } finally {
    client.destroy();
  }
};
const OVER_HTTP1: Ask = (port, options) =>
  askHttp1(port, { ...options, headers: { te: 'deflate;q=0.5, Trailers', connection: 'TE' } });
const OVER_HTTP1_WITHOUT_TE: Ask = (port, options) => askHttp1(port, options);

const WITH_TRAILERS: [string, Ask][] = [
  ['HTTP/2', OVER_HTTP2],
  ['HTTP/1.1 with TE: trailers', OVER_HTTP1],
];

describe.each(WITH_TRAILERS)('on %s', (_name, ask) => {
  const bodies: [string, (res: ServerResponse) => void][] = [
    ['that end() sends', (res) => res.end('body')],
    ['that write() sent', (res) => (res.write('bo'), res.end('dy'))],
    ['that is empty', (res) => res.end()],
  ];
  test.each(bodies)('trailers follow a body %s', async (_body, send) => {
    const { trailers, headers } = await answerTo(ask, (_req, res) => {
      declareTrailer(res, 'X-Checksum');
      declareTrailer(res, 'x-checksum');
      appendTrailer(res, 'x-checksum', 'abc');
      appendTrailer(res, 'x-cost', ['1', '2']);
      appendTrailer(res, 'X-Cost', '3');
      send(res);
    });

    expect(trailers).toMatchObject({ 'x-checksum': 'abc', 'x-cost': '1, 2, 3' });
    expect(headers.trailer).toBe('X-Checksum, x-cost');
  });

  test('trailers can be appended until end(), also undeclared ones', async () => {
    const { trailers, headers } = await answerTo(ask, (_req, res) => {
      res.setHeader('trailer', 'x-early');
      declareTrailer(res, 'x-late');
      res.write('body');
      appendTrailer(res, 'x-late', 'abc');
      appendTrailer(res, 'x-undeclared', 'def');
      res.end();
    });

    expect(trailers).toMatchObject({ 'x-late': 'abc', 'x-undeclared': 'def' });
    expect(headers.trailer).toBe('x-early, x-late');
  });

  test('declaring after the headers, or appending after the end, is an error that says so', async () => {
    const { body } = await answerTo(ask, (_req, res) => {
      res.write('first');
      const early = errorOf(() => declareTrailer(res, 'x-a'));
      res.write(early);
      res.end();
      late = errorOf(() => appendTrailer(res, 'x-a', 'abc'));
    });

    expect(body).toContain("declareTrailer(res, 'x-a'): the response's headers have been sent");
    expect(late).toContain("appendTrailer(res, 'x-a'): the response was ended");
  });
  let late = '';

  test.each<[string, { method?: string; statusCode?: number }]>([
    ['HEAD', { method: 'HEAD' }],
    ['204', { statusCode: 204 }],
    ['304', { statusCode: 304 }],
  ])('a response without a body has none: %s', async (_what, { method, statusCode = 200 }) => {
    let isSupported: boolean | undefined;
    await answerTo(
      (port) => ask(port, { method }),
      (_req, res) => {
        res.statusCode = statusCode;
        isSupported = supportsTrailers(res);
        res.end();
      },
    );

    expect(isSupported).toBe(false);
  });
});

describe('where HTTP/1.1 has no trailers', () => {
  test.each<[string, Ask, (res: ServerResponse) => void]>([
    ['the client did not ask for them', OVER_HTTP1_WITHOUT_TE, () => {}],
    ['the length is in the headers', OVER_HTTP1, (res) => res.setHeader('content-length', 0)],
    [
      'the length was sent in the headers',
      OVER_HTTP1,
      (res) => res.writeHead(200, { 'content-length': 0 }).flushHeaders(),
    ],
  ])('appending one says what to do, where %s', async (_name, ask, prepare) => {
    let seen: unknown[] = [];
    const { headers, trailers } = await answerTo(ask, (_req, res) => {
      prepare(res);
      const isSupported = supportsTrailers(res);
      if (!res.headersSent) {
        declareTrailer(res, 'x-a');
      }
      seen = [isSupported, errorOf(() => appendTrailer(res, 'x-a', 'abc'))];
      res.end();
    });

    expect(seen).toEqual([false, expect.stringContaining('ask supportsTrailers(res) first')]);
    expect([headers.trailer, trailers]).toEqual([undefined, {}]);
  });
});

describe('no trailer can be', () => {
  const FORBIDDEN = [
    ':status',
    'Content-Length',
    'transfer-encoding',
    'Authorization',
    'set-cookie',
    'host',
    'trailer',
    'te',
  ];
  test.each([...FORBIDDEN, 'cache-control', 'content-type', 'if-match', 'www-authenticate', 'connection'])(
    '%s',
    async (name) => {
      const { body } = await answerTo(OVER_HTTP2, (_req, res) => {
        res.end([errorOf(() => declareTrailer(res, name)), errorOf(() => appendTrailer(res, name, 'x'))].join('\n'));
      });

      expect(body).toMatch(
        /^TypeError: declareTrailer.* cannot be a trailer.*\nTypeError: appendTrailer.* cannot be a trailer/,
      );
    },
  );

  test('a name or a value that no field can have', async () => {
    const { body } = await answerTo(OVER_HTTP2, (_req, res) => {
      const errors = [
        errorOf(() => declareTrailer(res, 'x a')),
        errorOf(() => appendTrailer(res, 'x-a', 'line\nline')),
        errorOf(() => appendTrailer(res, 7 as unknown as string, 'x')),
        errorOf(() => supportsTrailers({} as ServerResponse)),
      ];
      res.end(errors.map((error) => error.split(/\W/)[0]).join());
    });

    expect(body).toBe('TypeError,TypeError,TypeError,TypeError');
  });
});

async function answerTo(ask: Ask, listener: RequestListener): Promise<Answer> {
  await using app = await startApp(listener);
  return await ask(app.port);
}

function errorOf(fn: () => unknown): string {
  try {
    fn();
    return 'no error';
  } catch (error) {
    return String(error);
  }
}
