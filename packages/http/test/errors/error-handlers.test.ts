import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, status } from '@grpc/grpc-js';
import { requireCallContext } from '@grpc-di/client-factory';
import { fastifyCallContext, fastifyGrpcErrorHandler, grpcErrorHandler } from '@grpc-di/http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import fastify from 'fastify';
import { APP_NAMES, APPS, listening } from '../apps.js';
import { get } from '../client.js';
import { Gates } from '../gate.js';
import { type LeafHop, startLeafHop } from '../leaf-client.js';

let hop: LeafHop;

beforeAll(async () => {
  hop = await startLeafHop();
});

afterAll(async () => {
  await hop[Symbol.asyncDispose]();
});

describe.each(APP_NAMES)('%s', (name) => {
  test("answers a child call's error with its HTTP status, and says nothing of the inside", async () => {
    await using app = await APPS[name](async () => (await hop.call(`fails/${name}`)).text);
    const { answer } = get(app, '/');
    const metadata = new Metadata();
    metadata.set('x-secret', 'trailer');
    (await hop.leaf.arrived(`fails/${name}`)).fail(status.RESOURCE_EXHAUSTED, 'secret table full', metadata);

    expect(await answer).toEqual({
      status: 429,
      body: JSON.stringify({ error: { code: 429, message: 'Too Many Requests', status: 'RESOURCE_EXHAUSTED' } }),
    });
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      "the signal's reason",
      async () => {
        await once(requireCallContext().signal, 'abort');
        requireCallContext().throwIfCancelled();
      },
    ],
    ["an AbortError of Node's", () => sleep(60_000, undefined, { signal: requireCallContext().signal })],
  ])('answers 504 for %s, past the deadline', async (_what, work) => {
    await using app = await APPS[name](async () => String(await work()), { timeoutMs: 30 });

    expect((await get(app, '/').answer).status).toBe(504);
  });

  test.each<[string, unknown]>([
    ['an error', new Error('other')],
    ["an error of Node's", Object.assign(new Error('other'), { code: 'ECONNREFUSED' })],
    ['an error with a number', Object.assign(new Error('other'), { code: 5 })],
    [
      'an error with a status code that gRPC does not have',
      Object.assign(new Error('other'), { code: 99, details: 'no' }),
    ],
    ['an OK', Object.assign(new Error('other'), { code: 0, details: 'fine' })],
    ['a text', 'other'],
    ["somebody's own abort", Object.assign(new Error('other'), { name: 'AbortError' })],
  ])('leaves %s to the error handler behind it', async (_what, error) => {
    await using app = await APPS[name](async () => {
      throw error;
    });

    const { status: httpStatus, body } = await get(app, '/').answer;

    expect(httpStatus).toBe(500);
    expect(body).toContain('other');
  });

  test('answers nothing to a client that left; the response has status 499', async () => {
    const caught = new EventEmitter();
    const caseId = `gone/${name}`;
    await using app = await APPS[name](async (_req, res) => {
      try {
        return (await hop.call(caseId)).text;
      } finally {
        setImmediate(() => caught.emit('handled', res.statusCode));
      }
    });

    const sent = get(app, '/');
    await hop.leaf.arrived(caseId);
    const handled = once(caught, 'handled');
    sent.abort();

    expect(await handled).toEqual([499]);
  });
});

const NOT_FOUND = Object.assign(new Error('internal'), { code: status.NOT_FOUND, details: 'internal' });
const INTENDED = { etag: '"1"', 'cache-control': 'public', 'content-encoding': 'gzip', 'content-length': '5000' };

describe('headers that a handler set before it failed', () => {
  test('stay with Express, except those of the body that did not come', async () => {
    const app = express();
    app.use((_req, res) => {
      res.set({ ...INTENDED, 'x-request-id': '7' });
      throw NOT_FOUND;
    });
    app.use(grpcErrorHandler());
    await using running = await listening(createServer(app), 'http/1.1');

    expect(await headersOf(running.port)).toEqual(['7', undefined, undefined, undefined]);
  });

  test('stay with Fastify, except those of the body that did not come', async () => {
    const app = fastify();
    app.setErrorHandler(fastifyGrpcErrorHandler());
    app.get('/', async (_request, reply) => {
      reply.headers({ ...INTENDED, 'x-request-id': '7' });
      throw NOT_FOUND;
    });
    await app.ready();
    await using running = await listening(app.server, 'http/1.1');

    expect(await headersOf(running.port)).toEqual(['7', undefined, undefined, undefined]);
  });
});

async function headersOf(port: number): Promise<unknown[]> {
  const [response] = (await once(request({ host: '127.0.0.1', port }).end(), 'response')) as [IncomingMessage];
  response.resume();
  expect([response.statusCode, response.headers['content-type']]).toEqual([404, 'application/json; charset=utf-8']);
  const { etag, 'cache-control': cacheControl, 'content-encoding': encoding } = response.headers;
  return [response.headers['x-request-id'], etag, cacheControl, encoding];
}

test('the error of a response that has begun goes to the error handler behind', async () => {
  const gates = new Gates<unknown>();
  const app = express();
  app.use((_req, res) => {
    res.write('half of it');
    throw NOT_FOUND;
  });
  app.use(grpcErrorHandler());
  app.use(((error, _req, res, _next) => {
    gates.open('behind', error);
    res.destroy();
  }) satisfies express.ErrorRequestHandler);
  await using running = await listening(createServer(app), 'http/1.1');

  await expect(get(running, '/').answer).rejects.toThrow();

  expect(await gates.at('behind')).toBe(NOT_FOUND);
});

test('an error handler without the middleware answers errors all the same', async () => {
  const app = fastify();
  app.setErrorHandler(fastifyGrpcErrorHandler());
  await app.register(async (inner) => {
    inner.get('/', () => Promise.reject(NOT_FOUND));
    await inner.register(fastifyCallContext);
  });
  await app.ready();
  await using running = await listening(app.server, 'http/1.1');

  expect((await get(running, '/').answer).status).toBe(404);
});
