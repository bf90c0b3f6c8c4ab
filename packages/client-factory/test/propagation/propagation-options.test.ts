import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Metadata, status } from '@grpc/grpc-js';
import {
  CallCancelledError,
  CallContextNotFoundError,
  type CallContextPropagationOptions,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  runDetached,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Container } from 'inversify';
import { FORMS, startChild } from './child-call.js';
import { REQUEST } from './front-server.js';

/** A deadline that must not matter, in ms. */
const FAR_MS = 60_000;

let leaf: RunningLeaf;
const containers: Container[] = [];

beforeAll(async () => {
  leaf = await startLeaf();
});

afterAll(async () => {
  await Promise.all(containers.map((container) => container.get(GrpcClientFactory).close({ cancelCalls: true })));
  await leaf[Symbol.asyncDispose]();
});

function clientWith(propagation: boolean | CallContextPropagationOptions, timeoutMs?: number): GrpcClient<LeafClient> {
  const container = new Container();
  containers.push(container);
  createGrpcClient(container, LeafClient, {
    address: leaf.address,
    enableCallContextPropagation: propagation,
    timeoutMs,
  });
  return getGrpcClient(container, LeafClient);
}

/** Starts a unary call and lets the leaf answer it; returns what arrived. */
async function arrivalOf(caseId: string, start: () => PromiseLike<unknown>) {
  const call = start();
  const arrival = await leaf.arrived(caseId);
  arrival.answer();
  await call;
  return arrival;
}

const withCase = (caseId: string) => ({ metadata: { [CASE_KEY]: caseId } });

describe('deadlines of parent (S) and call (C)', () => {
  test.each([
    ['none', 'none', undefined, undefined, undefined],
    ['none', 'set', undefined, 20_000, 20_000],
    ['set', 'none', 20_000, undefined, 20_000],
    ['smaller', 'greater', 20_000, 40_000, 20_000],
    ['greater', 'smaller', 40_000, 20_000, 20_000],
    ['set', 'Infinity', 20_000, Infinity, 20_000],
  ])('S %s, C %s', async (s, c, parentMs, ownMs, expectedMs) => {
    const client = clientWith(true);
    const caseId = `deadlines/${s}/${c}`;
    const before = Date.now();
    const { deadline } = await runInCallContext({ timeoutMs: parentMs }, () =>
      arrivalOf(caseId, () => client.unary(REQUEST, { ...withCase(caseId), timeoutMs: ownMs })),
    );
    if (expectedMs === undefined) {
      expect(deadline).toBe(Infinity);
    } else {
      // The server counts from the arrival; ten seconds lie between the right answer and a wrong one.
      expect(Math.abs(deadline - before - expectedMs)).toBeLessThan(10_000);
    }
  });

  test("the client's default counts as the call's own, and the smaller wins", async () => {
    const client = clientWith(true, 20_000);
    const before = Date.now();
    const smaller = await runInCallContext({ timeoutMs: 40_000 }, () =>
      arrivalOf('default/smaller', () => client.unary(REQUEST, withCase('default/smaller'))),
    );
    const greater = await runInCallContext({ timeoutMs: 5_000 }, () =>
      arrivalOf('default/greater', () => client.unary(REQUEST, withCase('default/greater'))),
    );
    expect(Math.abs(smaller.deadline - before - 20_000)).toBeLessThan(10_000);
    expect(Math.abs(greater.deadline - before - 5_000)).toBeLessThan(5_000);
  });

  test.each(CALL_KINDS)("past its parent's deadline a %s call fails at once, and nothing is sent", async (kind) => {
    const client = clientWith(true);
    for (const form of FORMS) {
      const caseId = `past/${kind}/${form}`;
      const error = await runInCallContext({ timeoutMs: -1 }, () => startChild(client, kind, form, caseId));
      expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
      expect(error?.cause).toBeInstanceOf(CallCancelledError);
      expect(leaf.arrivals(caseId)).toBe(0);
    }
  });
});

describe('deadline: false', () => {
  test("keeps the parent's deadline from the child, also when it expires", async () => {
    const client = clientWith({ deadline: false });
    await runInCallContext({ timeoutMs: 50 }, async (context) => {
      const call = client.unary(REQUEST, withCase('no-deadline'));
      const arrival = await leaf.arrived('no-deadline');
      expect(arrival.deadline).toBe(Infinity);
      await new Promise((resolve) => {
        context.signal.addEventListener('abort', resolve);
      });

      const late = client.unary(REQUEST, withCase('no-deadline/late'));
      (await leaf.arrived('no-deadline/late')).answer();
      arrival.answer();
      await expect(call).resolves.toMatchObject({ id: 'leaf' });
      await expect(late).resolves.toMatchObject({ id: 'leaf' });
    });
  });

  test('lets cancellation through', async () => {
    const client = clientWith({ deadline: false });
    const parent = new AbortController();
    await runInCallContext({ signal: parent.signal }, async () => {
      const call = client.unary(REQUEST, withCase('no-deadline/cancel'));
      const arrival = await leaf.arrived('no-deadline/cancel');
      parent.abort();
      await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
      await arrival.cancelled;
    });
  });
});

describe('cancellation: false', () => {
  test('neither ends the child nor stops it from starting', async () => {
    const client = clientWith({ cancellation: false });
    const parent = new AbortController();
    await runInCallContext({ signal: parent.signal, timeoutMs: FAR_MS }, async (context) => {
      const call = client.unary(REQUEST, withCase('no-cancel'));
      const arrival = await leaf.arrived('no-cancel');
      expect(arrival.deadline).toBeLessThan(Infinity);
      parent.abort();
      expect(context.cancelled).toBe(true);

      const late = client.unary(REQUEST, withCase('no-cancel/late'));
      (await leaf.arrived('no-cancel/late')).answer();
      arrival.answer();
      await expect(call).resolves.toMatchObject({ id: 'leaf' });
      await expect(late).resolves.toMatchObject({ id: 'leaf' });
    });
  });
});

describe('deadlineMarginMs', () => {
  test("is kept back from the parent's deadline, and said in the error", async () => {
    const client = clientWith({ deadlineMarginMs: 30_000 });
    const before = Date.now();
    const { deadline } = await runInCallContext({ timeoutMs: FAR_MS }, () =>
      arrivalOf('margin', () => client.unary(REQUEST, withCase('margin'))),
    );
    expect(Math.abs(deadline - before - 30_000)).toBeLessThan(10_000);

    const refused = runInCallContext({ timeoutMs: 20_000 }, () => client.unary(REQUEST, withCase('margin/none-left')));
    await expect(refused).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: "Deadline exceeded (the parent's deadline, that of the call context, less a margin of 30000 ms)",
      cause: { name: 'CallCancelledError', code: 4 },
    });
    expect(leaf.arrivals('margin/none-left')).toBe(0);
  });

  test("does not shorten the call's own deadline", async () => {
    const client = clientWith({ deadlineMarginMs: 10_000 });
    const before = Date.now();
    const { deadline } = await runInCallContext({ timeoutMs: FAR_MS }, () =>
      arrivalOf('margin/own', () => client.unary(REQUEST, { ...withCase('margin/own'), timeoutMs: 20_000 })),
    );
    expect(Math.abs(deadline - before - 20_000)).toBeLessThan(5_000);
  });
});

describe('metadata', () => {
  const incoming = new Metadata();
  incoming.set('x-request-id', 'r-1');
  incoming.set('authorization', 'secret');
  incoming.set('trace-bin', Buffer.from([1, 2, 3]));
  incoming.add('x-many', 'a');
  incoming.add('x-many', 'b');

  test('is not propagated by default', async () => {
    const client = clientWith(true);
    const { metadata } = await runInCallContext({ requestMetadata: incoming }, () =>
      arrivalOf('metadata/none', () => client.unary(REQUEST, withCase('metadata/none'))),
    );
    expect(metadata.get('x-request-id')).toEqual([]);
    expect(metadata.get('authorization')).toEqual([]);
  });

  test('is copied by name, with all values, and not over what the call sets', async () => {
    const client = clientWith({ metadata: ['X-Request-Id', 'x-many', 'trace-bin', 'x-absent'] });
    const own = { [CASE_KEY]: 'metadata/names', 'x-many': 'own' };
    const { metadata } = await runInCallContext({ requestMetadata: incoming }, () =>
      arrivalOf('metadata/names', () => client.unary(REQUEST, { metadata: own })),
    );
    expect(metadata.get('x-request-id')).toEqual(['r-1']);
    expect(metadata.get('trace-bin')).toEqual([Buffer.from([1, 2, 3])]);
    expect(metadata.get('x-many')).toEqual(['own']);
    expect(metadata.get('authorization')).toEqual([]);
    expect(own).toEqual({ [CASE_KEY]: 'metadata/names', 'x-many': 'own' });
    expect(incoming.get('x-many')).toEqual(['a', 'b']);
  });

  test('of an outer context is found in an inner one', async () => {
    const client = clientWith({ metadata: ['x-request-id'] });
    const { metadata } = await runInCallContext({ requestMetadata: incoming }, () =>
      runInCallContext({ timeoutMs: FAR_MS }, () =>
        arrivalOf('metadata/inner', () => client.unary(REQUEST, withCase('metadata/inner'))),
      ),
    );
    expect(metadata.get('x-request-id')).toEqual(['r-1']);
  });
});

describe('onContextNotFound', () => {
  test.each(CALL_KINDS)("'throw' is a synchronous throw for %s, in both forms", (kind) => {
    const client = clientWith(true);
    for (const form of FORMS) {
      expect(() => startChild(client, kind, form, 'never')).toThrow(CallContextNotFoundError);
    }
    expect(leaf.arrivals('never')).toBe(0);
  });

  test("'ignore' makes the call as it is", async () => {
    const client = clientWith({ onContextNotFound: 'ignore' });
    const { deadline } = await arrivalOf('ignore', () => client.unary(REQUEST, withCase('ignore')));
    expect(deadline).toBe(Infinity);
  });

  test("'warn' warns once per client and reason, and makes the call", async () => {
    // Jest's `process` is a copy of Node's: listeners for 'warning' on it hear nothing.
    const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const client = clientWith({ onContextNotFound: 'warn' });
    let afterItsCall!: <R>(fn: () => R) => R;
    runInCallContext({}, () => {
      afterItsCall = AsyncLocalStorage.snapshot();
    });

    for (const caseId of ['warn/1', 'warn/2', 'warn/3', 'warn/4']) {
      const start = () => arrivalOf(caseId, () => client.unary(REQUEST, withCase(caseId)));
      await (caseId < 'warn/3' ? start() : afterItsCall(start));
    }

    expect(emitWarning.mock.calls).toEqual([
      [expect.stringContaining('This code runs in no call'), 'CallContextNotFoundError'],
      [expect.stringMatching(/The call context ended \d+ ms before/), 'CallContextNotFoundError'],
    ]);
    emitWarning.mockRestore();
  });

  test('runDetached is no context', () => {
    const client = clientWith(true);
    runInCallContext({}, () => {
      expect(() => runDetached(() => client.unary(REQUEST))).toThrow(/This code runs in no call/);
    });
  });
});

describe('enableCallContextPropagation: false', () => {
  test('takes one call out of propagation', async () => {
    const client = clientWith(true);
    const options = { ...withCase('off'), enableCallContextPropagation: false } as const;
    const outside = await arrivalOf('off', () => client.unary(REQUEST, options));
    expect(outside.deadline).toBe(Infinity);

    const parent = new AbortController();
    await runInCallContext({ signal: parent.signal }, async () => {
      const call = client.unary(REQUEST, { ...options, ...withCase('off/cancelled') });
      const arrival = await leaf.arrived('off/cancelled');
      parent.abort();
      arrival.answer();
      await expect(call).resolves.toMatchObject({ id: 'leaf' });
    });
  });
});
