import { once } from 'node:events';
import { createServer } from 'node:http';
import { currentCallContext } from '@grpc-di/client-factory';
import { callContextMiddleware, fastifyCallContext, grpcErrorHandler, type HttpRequest } from '@grpc-di/http';
import { describe, expect, test } from '@jest/globals';
import connect from 'connect';
import express, { type RequestHandler } from 'express';
import fastify from 'fastify';
import { APP_NAMES, APPS, listening } from '../apps.js';
import { get, post } from '../client.js';

/** Which request this code runs for, as its context says. */
const requestHere = (): string => String(currentCallContext()?.requestMetadata?.get('x-case')[0]);

const RAW_APPS = APP_NAMES.filter((name) => !name.startsWith('Fastify'));

describe.each(RAW_APPS)("%s: a body's listeners", (name) => {
  test("run in their own request's context", async () => {
    const heard: string[] = [];
    await using app = await APPS[name](async (req) => {
      req.on('data', () => heard.push(`data in ${requestHere()}`));
      req.on('end', () => heard.push(`end in ${requestHere()}`));
      await once(req, 'end');
      return requestHere();
    });

    const { body } = await post(app, '/1', 'text/plain', ['first', 'second']);

    expect(body).toBe('/1');
    expect(new Set(heard)).toEqual(new Set(['data in /1', 'end in /1']));
    expect(heard.at(-1)).toBe('end in /1');
  });

  test('run in it for many requests at once', async () => {
    await using app = await APPS[name](async (req) => {
      let seen = '';
      for await (const _chunk of req) {
        seen += requestHere();
      }
      return `${new Set(seen.split('/').slice(1)).size} ${await ended(req)}`;
    });
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);

    const answers = await Promise.all(paths.map((path) => post(app, path, 'text/plain', ['first', 'second'])));

    expect(answers.map(({ body }) => body)).toEqual(paths.map((path) => `1 ${path}`));
  });
});

async function ended(req: HttpRequest): Promise<string> {
  return new Promise((resolve) => {
    if (req.readableEnded) {
      resolve(requestHere());
    } else {
      req.on('end', () => resolve(requestHere()));
    }
  });
}

describe.each(['Fastify', 'Fastify on HTTP/2'] as const)('%s', (name) => {
  test("runs the handler in its request's context after it has read the body", async () => {
    await using app = await APPS[name](requestHere);

    expect(await post(app, '/1', 'text/plain', ['first', 'second'])).toEqual({ status: 200, body: '/1' });
  });
});

/** A body parser as simple as they come: it goes on from the last listener. */
const parseBody: RequestHandler = (req, _res, next) => {
  let body = '';
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => {
    req.body = JSON.parse(body);
    next();
  });
};

const ORDERS: [string, RequestHandler[]][] = [
  ['a home-made body parser after', [callContextMiddleware(), parseBody]],
  ['a home-made body parser before', [parseBody, callContextMiddleware()]],
  ['express.json() after', [callContextMiddleware(), express.json()]],
  ['express.json() before', [express.json(), callContextMiddleware()]],
];

describe.each(ORDERS)('with %s the middleware', (_order, middleware) => {
  test.each(['Express', 'Connect'] as const)(
    "%s handlers and error handlers run in their request's context",
    async (name) => {
      const fail: RequestHandler = async (req) => {
        throw Object.assign(new Error(), { where: requestHere(), got: req.body.got });
      };
      await using app = await (name === 'Express' ? startExpress(middleware, fail) : startConnect(middleware, fail));

      const { body } = await post(app, '/1', 'application/json', ['{"got":', '"both"}']);

      expect(body).toBe('/1 and /1 with both');
    },
  );
});

function startExpress(middleware: RequestHandler[], fail: RequestHandler) {
  const app = express();
  app.use(...middleware, fail, grpcErrorHandler());
  app.use(((error, _req, res, _next) => {
    res.end(`${error.where} and ${requestHere()} with ${error.got}`);
  }) satisfies express.ErrorRequestHandler);
  return listening(createServer(app), 'http/1.1');
}

function startConnect(middleware: RequestHandler[], fail: RequestHandler) {
  const app = connect();
  for (const each of middleware) {
    app.use(each as unknown as connect.NextHandleFunction);
  }
  const failAsConnectDoes = async (...[req, res, next]: Parameters<connect.NextHandleFunction>): Promise<void> => {
    try {
      await fail(req as express.Request, res as express.Response, next);
    } catch (error) {
      next(error);
    }
  };
  app.use((req, res, next) => void failAsConnectDoes(req, res, next));
  app.use(grpcErrorHandler());
  app.use(((error, _req, res, _next) => {
    res.end(`${error.where} and ${requestHere()} with ${error.got}`);
  }) satisfies connect.ErrorHandleFunction);
  return listening(createServer(app), 'http/1.1');
}

test('an emit that was replaced before is still called, and the listeners are still removed', async () => {
  const emitted: unknown[] = [];
  const middleware = callContextMiddleware();
  await using app = await listening(
    createServer((req, res) => {
      const original = res.emit.bind(res);
      res.emit = (event: string, ...args: unknown[]) => {
        emitted.push(event);
        return original(event, ...args);
      };
      middleware(req, res, () => {
        const listen = (): void => void emitted.push('heard');
        res.on('custom', listen);
        expect(res.emit('custom')).toBe(true);
        res.off('custom', listen);
        expect(res.emit('custom')).toBe(false);
        res.end(emitted.join());
      });
    }),
    'http/1.1',
  );

  expect((await get(app, '/').answer).body).toBe('custom,heard,custom');
});

test('plugins inside a Fastify instance have the context of the instance around them', async () => {
  const app = fastify();
  await app.register(fastifyCallContext, { timeoutMs: 60_000 });
  await app.register(
    async (inner) => {
      inner.get('/', async () => requestHere());
    },
    { prefix: '/inner' },
  );

  await app.ready();
  await using running = await listening(app.server, 'http/1.1');

  expect((await get(running, '/inner', { 'x-case': 'mine' }).answer).body).toBe('mine');
});
