import { fileURLToPath } from 'node:url';
import { callContextMiddleware, grpcErrorHandler } from '@grpc-di/http';
import express, { type Express } from 'express';
import type { Container } from 'inversify';
import type { CallLog } from '../calls/call-log.js';
import { reportedRequest } from '../calls/reported-request.js';
import { Trips } from './trips.js';

const PAGE = fileURLToPath(new URL('../../public', import.meta.url));

export function gatewayApp(container: Container, log: CallLog): Express {
  const trips = container.get(Trips);
  const app = express();
  app.use(express.static(PAGE));
  app.get('/api/calls', (_req, res) => log.sendTo(res));

  // Only what makes gRPC calls needs a call context.
  app.use('/api/trips', callContextMiddleware({ timeoutHeader: 'x-timeout-ms' }), reportedRequest(log));
  app.get('/api/trips/:city', async (req, res) => {
    res.json(await trips.plan(req.params.city));
  });

  app.use(grpcErrorHandler());
  return app;
}
