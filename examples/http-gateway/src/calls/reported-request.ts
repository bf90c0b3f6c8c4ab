import { randomUUID } from 'node:crypto';
import { requireCallContext } from '@grpc-di/client-factory';
import type { RequestHandler } from 'express';
import type { CallLog } from './call-log.js';
import { runAsCaller } from './caller.js';
import { deadlineOf, endOf } from './reported.js';

/** Reports the HTTP request that all other calls come from. After `callContextMiddleware`. */
export function reportedRequest(log: CallLog): RequestHandler {
  return (req, res, next) => {
    const context = requireCallContext();
    const id = idFrom(req.get('x-request-id'));
    log.add({
      kind: 'started',
      id,
      service: 'gateway',
      method: req.method,
      subject: req.originalUrl,
      at: Date.now(),
      deadline: deadlineOf(context),
    });
    res.once('close', () => {
      const failure = res.statusCode < 400 ? undefined : new Error(`HTTP ${res.statusCode}`);
      log.add({ kind: 'ended', id, at: Date.now(), ...endOf(context, failure) });
    });
    runAsCaller(id, next);
  };
}

/** The page knows its own requests by their ids; what else is sent here may be anything. */
function idFrom(header: string | undefined): string {
  return header !== undefined && /^[\w-]{1,64}$/.test(header) ? header : randomUUID();
}
