import { EventEmitter, once } from 'node:events';
import { type CallContextScope, surroundingScope } from '@grpc-di/call-context/opener';
import { CallContextNotFoundError, currentCallContext } from '@grpc-di/client-factory';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { APP_NAMES, APPS } from '../apps.js';
import { get } from '../client.js';
import { type LeafHop, startLeafHop } from '../leaf-client.js';

let hop: LeafHop;

beforeAll(async () => {
  hop = await startLeafHop();
});

afterAll(async () => {
  await hop[Symbol.asyncDispose]();
});

describe.each(APP_NAMES)('%s', (name) => {
  test('gives the gRPC calls below a request its deadline', async () => {
    let deadline = Number.NaN;
    await using app = await APPS[name](
      async () => {
        deadline = currentCallContext()!.deadline;
        return (await hop.call(name)).text;
      },
      { timeoutMs: 60_000 },
    );

    const { answer } = get(app, '/');
    const arrival = await hop.leaf.arrived(name);
    arrival.answer();

    expect(await answer).toEqual({ status: 200, body: 'done' });
    expect(deadline).toBeGreaterThan(Date.now());
    // grpc-timeout has milliseconds, and some pass on the way.
    expect(Math.abs(arrival.deadline - deadline)).toBeLessThan(5_000);
  });

  test('cancels the gRPC calls below when the client leaves', async () => {
    const caseId = `${name}/leaves`;
    const handled = new EventEmitter();
    let scope!: CallContextScope;
    await using app = await APPS[name](async () => {
      scope = surroundingScope()!;
      const error = await hop.call(caseId).catch((thrown: unknown) => thrown);
      handled.emit('error caught', error);
      return '';
    });

    const sent = get(app, `/orders?secret=1`);
    const arrival = await hop.leaf.arrived(caseId);
    expect(scope.subscriberCount).toBe(1);
    const caught = once(handled, 'error caught');
    sent.abort();

    await arrival.cancelled;
    expect((await caught)[0]).toMatchObject({ code: 1 });
    expect(scope.reason?.message).toBe(
      'The call of GET /orders was cancelled: the client left, or the connection dropped, before its response was finished',
    );
    expect(scope.subscriberCount).toBe(0);
  });

  test('answers 504 when the deadline passes, and says nothing of the inside', async () => {
    const caseId = `${name}/too late`;
    await using app = await APPS[name](async () => (await hop.call(caseId)).text, { timeoutMs: 200 });

    const { status, body } = await get(app, '/').answer;

    expect(status).toBe(504);
    expect(JSON.parse(body)).toEqual({
      error: { code: 504, message: 'Gateway Timeout', status: 'DEADLINE_EXCEEDED' },
    });
  });

  test('ends the context with the response', async () => {
    let scope!: CallContextScope;
    const over = new EventEmitter();
    await using app = await APPS[name]((_req, res) => {
      scope = surroundingScope()!;
      res.on('close', () => over.emit('over', currentCallContext()));
      return 'done';
    });

    const isOver = once(over, 'over');
    expect(await get(app, '/').answer).toEqual({ status: 200, body: 'done' });

    expect(await isOver).toEqual([undefined]);
    expect([scope.hasEnded, scope.isCancelled]).toEqual([true, false]);
    expect(() => scope.run(() => hop.call('never'))).toThrow(CallContextNotFoundError);
    expect(() => scope.run(() => hop.call('never'))).toThrow(/The call of GET \/ ended \d+ ms before/);
  });

  test.each([
    [
      'throws',
      (): number => {
        throw new Error('no budget');
      },
      'no budget',
    ],
    [
      'returns NaN',
      () => Number.NaN,
      'timeoutMs(req) must return a number of milliseconds, or undefined for no deadline, not NaN',
    ],
    ['returns a promise', (async () => 5) as unknown as () => number, 'not Promise'],
  ])('makes a timeoutMs function that %s the error of its request', async (_what, timeoutMs, message) => {
    let handled = 0;
    await using app = await APPS[name](() => `${++handled}`, { timeoutMs });

    const { status, body } = await get(app, '/').answer;

    expect([status, handled]).toEqual([500, 0]);
    expect(body).toContain(message);
  });

  test('lets the timeoutMs function see the request', async () => {
    const timeoutMs = (req: { url?: string }) => (req.url === '/slow' ? 600_000 : undefined);
    await using app = await APPS[name](() => String(currentCallContext()!.timeRemaining()), { timeoutMs });

    expect((await get(app, '/fast').answer).body).toBe('Infinity');
    expect(Number((await get(app, '/slow').answer).body)).toBeGreaterThan(500_000);
  });
});
