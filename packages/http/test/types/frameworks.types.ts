import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import {
  callContextMiddleware,
  fastifyCallContext,
  fastifyGrpcErrorHandler,
  grpcErrorHandler,
  type HttpCallContextOptions,
  openHttpCallContext,
} from '@grpc-di/http';
import connect from 'connect';
import express from 'express';
import fastify, { type FastifyPluginCallback } from 'fastify';

// Compiles, or the types do not fit those of the frameworks. Nothing here runs.

express()
  .use(callContextMiddleware({ timeoutMs: (req: express.Request) => Number(req.query.budget) }), grpcErrorHandler())
  .get('/', callContextMiddleware({ timeoutMs: (req) => (req.url === '/' ? 5 : undefined) }), (_req, res) => {
    res.end();
  });

connect()
  .use(callContextMiddleware({ timeoutHeader: 'x-timeout' }))
  .use(grpcErrorHandler());

const plugin: FastifyPluginCallback<HttpCallContextOptions> = fastifyCallContext;
const overHttp1 = fastify();
overHttp1.register(plugin);
overHttp1.register(fastifyCallContext, { timeoutMs: 5, prefix: '/api' });
overHttp1.register(fastifyCallContext, () => ({ timeoutMs: (req) => req.headers.host?.length }));
// @ts-expect-error milliseconds are a number
overHttp1.register(fastifyCallContext, { timeoutMs: '5' });
overHttp1.setErrorHandler(fastifyGrpcErrorHandler());

const overHttp2 = fastify({ http2: true });
overHttp2.register(fastifyCallContext, { timeoutMs: 5 });
overHttp2.setErrorHandler(fastifyGrpcErrorHandler());

createServer((req, res) => callContextMiddleware()(req, res, () => openHttpCallContext(req, res)));
createHttp2Server((req, res) => callContextMiddleware()(req, res, () => openHttpCallContext(req, res)));
