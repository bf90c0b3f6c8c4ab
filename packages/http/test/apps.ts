import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import {
  callContextMiddleware,
  fastifyCallContext,
  fastifyGrpcErrorHandler,
  grpcErrorHandler,
  type HttpCallContextOptions,
  type HttpMiddleware,
  type HttpRequest,
  type HttpResponse,
} from '@grpc-di/http';
import connect from 'connect';
import express from 'express';
import fastify, { type FastifyInstance } from 'fastify';

/** What a request is for, in every framework the same: the text of its response. */
type Handle = (req: HttpRequest, res: HttpResponse) => Promise<string> | string;

export interface RunningApp extends AsyncDisposable {
  readonly port: number;
  readonly protocol: 'http/1.1' | 'h2';
}

type StartApp = (handle: Handle, options?: HttpCallContextOptions) => Promise<RunningApp>;

export const APP_NAMES = ['node:http', 'node:http2', 'Express', 'Connect', 'Fastify', 'Fastify on HTTP/2'] as const;

/** Each framework as its users set it up, with the context around every request and the error handler behind. */
export const APPS: Record<(typeof APP_NAMES)[number], StartApp> = {
  'node:http': (handle, options) => listening(createServer(listener(handle, options)), 'http/1.1'),
  'node:http2': (handle, options) => listening(createHttp2Server(listener(handle, options)), 'h2'),
  Express: (handle, options) => {
    const app = express();
    app.set('env', 'test'); // its last error handler logs otherwise
    app.use(callContextMiddleware(options));
    app.use(async (req, res) => {
      res.send(await handle(req, res));
    });
    app.use(grpcErrorHandler());
    return listening(createServer(app), 'http/1.1');
  },
  Connect: (handle, options) => {
    process.env.NODE_ENV = 'test'; // its last error handler logs otherwise
    const app = connect();
    app.use(callContextMiddleware(options));
    app.use((req, res, next) => void answer(handle, req, res, next));
    app.use(grpcErrorHandler());
    return listening(createServer(app), 'http/1.1');
  },
  Fastify: (handle, options) => startFastify(fastify(), 'http/1.1', handle, options),
  'Fastify on HTTP/2': (handle, options) =>
    startFastify(fastify({ http2: true }) as unknown as FastifyInstance, 'h2', handle, options),
};

/** Starts a server of node:http or node:http2; disposing of it destroys its connections. */
export async function listening(server: Server | Http2Server, protocol: RunningApp['protocol']): Promise<RunningApp> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    protocol,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}

/** A request listener of node:http or node:http2 with the middleware in front. */
function listener(handle: Handle, options?: HttpCallContextOptions): (req: HttpRequest, res: HttpResponse) => void {
  const openContext: HttpMiddleware = callContextMiddleware(options);
  const handleError = grpcErrorHandler();
  return (req, res) => {
    const fail = (error: unknown): void => {
      handleError(error, req, res, () => {
        res.statusCode = 500;
        res.end(String(error));
      });
    };
    openContext(req, res, (error) => (error === undefined ? void answer(handle, req, res, fail) : fail(error)));
  };
}

async function answer(handle: Handle, req: HttpRequest, res: HttpResponse, fail: (error: unknown) => void) {
  try {
    (res as { end(text: string): unknown }).end(await handle(req, res));
  } catch (error) {
    fail(error);
  }
}

async function startFastify(
  app: FastifyInstance,
  protocol: RunningApp['protocol'],
  handle: Handle,
  options: HttpCallContextOptions = {},
): Promise<RunningApp> {
  await app.register(fastifyCallContext, options);
  app.setErrorHandler(fastifyGrpcErrorHandler());
  // The body is read before, by Fastify itself.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.all('/*', async (request, reply) => handle(request.raw, reply.raw));
  await app.ready();
  return listening(app.server, protocol);
}
