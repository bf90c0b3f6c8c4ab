import { createServer } from 'node:http';
import {
  callContextMiddleware,
  fastifyCallContext,
  type HttpCallContextOptions,
  openHttpCallContext,
} from '@grpc-di/http';
import { expect, test } from '@jest/globals';
import fastify from 'fastify';
import { listening } from '../apps.js';
import { get } from '../client.js';

const MAKERS: Record<string, (options: never) => unknown> = {
  callContextMiddleware: (options) => callContextMiddleware(options),
  fastifyCallContext: async (options) => {
    await fastify().register(fastifyCallContext, options).ready();
  },
  openHttpCallContext: async (options) => {
    await using app = await listening(
      createServer((req, res) => {
        try {
          openHttpCallContext(req, res, options);
          res.end();
        } catch (error) {
          res.statusCode = 500;
          res.end((error as Error).message);
        }
      }),
      'http/1.1',
    );
    const { status, body } = await get(app, '/').answer;
    if (status === 500) {
      throw new TypeError(body);
    }
  },
};

const BAD_OPTIONS: [unknown, string][] = [
  [5, 'options must be an object, not 5'],
  [
    { timeoutMs: Number.NaN },
    'timeoutMs must be a number of milliseconds (Infinity for no deadline) or a function of the request that returns one, not NaN',
  ],
  [
    { timeoutMs: '5s' },
    "timeoutMs must be a number of milliseconds (Infinity for no deadline) or a function of the request that returns one, not '5s'",
  ],
  [{ timeoutHeader: '' }, "timeoutHeader must be the name of a request header, such as 'x-timeout-ms', not ''"],
  [
    { timeoutHeader: ['x-timeout'] },
    "timeoutHeader must be the name of a request header, such as 'x-timeout-ms', not [ 'x-timeout' ]",
  ],
  [{ timeout: 5 }, 'unknown option "timeout"; it takes timeoutMs and timeoutHeader'],
];

const CASES = Object.keys(MAKERS).flatMap((maker) =>
  // Avvio, which loads Fastify's plugins, makes an object of any options.
  BAD_OPTIONS.filter(([options]) => maker !== 'fastifyCallContext' || options !== 5).map(
    ([options, complaint]) => [maker, options, complaint] as const,
  ),
);

test.each(CASES)('%s: options %p are a TypeError', async (maker, options, complaint) => {
  await expect(async () => MAKERS[maker]!(options as never)).rejects.toThrow(new TypeError(`${maker}: ${complaint}`));
});

test.each(Object.keys(MAKERS))('%s: options that are undefined are the defaults', async (maker) => {
  await MAKERS[maker]!({ timeoutMs: undefined, timeoutHeader: undefined } as never);
  await MAKERS[maker]!(undefined as never);
});

test('options that Fastify itself reads are not unknown', async () => {
  await fastify().register(fastifyCallContext, { prefix: '/api', logLevel: 'warn', timeoutMs: 5 }).ready();
});

test.each([
  ['request', 'req', (_req: object, res: object) => [{}, res]],
  ['response', 'res', (req: object) => [req, { raw: {} }]],
] as const)("what is not Node's own %s is a TypeError that says what to give", async (_what, name, wrong) => {
  await using app = await listening(
    createServer((req, res) => {
      const [givenReq, givenRes] = wrong(req, res) as [typeof req, typeof res];
      try {
        openHttpCallContext(givenReq, givenRes);
      } catch (error) {
        res.end(String(error));
      }
    }),
    'http/1.1',
  );

  expect((await get(app, '/').answer).body).toContain(
    `TypeError: openHttpCallContext: ${name} must be that of node:http or node:http2 (in Fastify request.raw and reply.raw), not {`,
  );
});

test('the options are read once: what a caller does to them later changes nothing', async () => {
  const options: HttpCallContextOptions = { timeoutMs: 1_000 };
  const middleware = callContextMiddleware(options);
  options.timeoutMs = Number.NaN;
  await using app = await listening(
    createServer((req, res) => middleware(req, res, (error) => res.end(String(error)))),
    'http/1.1',
  );

  expect((await get(app, '/').answer).body).toBe('undefined');
});
