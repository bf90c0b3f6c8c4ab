import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type CallContextScope, surroundingScope } from '@grpc-di/call-context/opener';
import { currentCallContext, runInCallContext } from '@grpc-di/client-factory';
import { callContextMiddleware, openHttpCallContext } from '@grpc-di/http';
import { expect, test } from '@jest/globals';
import express from 'express';
import { listening } from '../apps.js';
import { get } from '../client.js';

/** Serves with what `handle` returns, or throws. */
function serving(handle: (req: IncomingMessage, res: ServerResponse) => unknown) {
  return listening(
    createServer((req, res) => {
      try {
        res.end(String(handle(req, res)));
      } catch (error) {
        res.end(String(error));
      }
    }),
    'http/1.1',
  );
}

test('opens a context that is current in what it runs, and nowhere else', async () => {
  await using app = await serving((req, res) => {
    const scope = openHttpCallContext(req, res, { timeoutMs: 60_000 });
    const inside = scope.run((suffix: string) => `${currentCallContext() === scope.context}${suffix}`, '!');
    return `${inside} ${currentCallContext() === undefined}`;
  });

  expect((await get(app, '/').answer).body).toBe('true! true');
});

test('a timeoutMs function that throws has changed nothing', async () => {
  await using app = await serving((req, res) => {
    const open = (): unknown => openHttpCallContext(req, res, { timeoutMs: () => Number.NaN });
    expect(open).toThrow('timeoutMs(req) must return a number of milliseconds');
    return Object.hasOwn(req, 'emit') || Object.hasOwn(res, 'emit');
  });

  expect((await get(app, '/').answer).body).toBe('false');
});

test('names the call by method and path, with what Express has taken off for a router, without the query', async () => {
  const names: unknown[] = [];
  const router = express.Router().get('/orders', callContextMiddleware(), (_req, res) => {
    names.push(surroundingScope()?.name);
    res.end();
  });
  await using app = await listening(createServer(express().use('/api', router)), 'http/1.1');

  await get(app, '/api/orders?token=secret').answer;

  expect(names).toEqual(['GET /api/orders']);
});

test('a context of one request is never inside the context that its server was started in', async () => {
  await runInCallContext({ timeoutMs: 60_000 }, async (around) => {
    let scope!: CallContextScope;
    await using app = await serving((req, res) => {
      expect(currentCallContext()).toBe(around);
      scope = openHttpCallContext(req, res);
    });

    await get(app, '/').answer;

    expect([scope.parent, scope.deadline]).toEqual([undefined, Infinity]);
  });
});

test('a second one lies inside the context that is current by then', async () => {
  await using app = await serving((req, res) => {
    const outer = openHttpCallContext(req, res);
    return outer.run(() =>
      runInCallContext({ timeoutMs: 60_000 }, (between) => {
        const inner = openHttpCallContext(req, res);
        return inner.deadline === between.deadline && inner.parent?.parent === outer;
      }),
    );
  });

  expect((await get(app, '/').answer).body).toBe('true');
});
