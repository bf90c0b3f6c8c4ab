import 'reflect-metadata';
import { getEventListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import {
  CallCancelledError,
  type GrpcCallOptions,
  type GrpcClient,
  requireCallContext,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type CallKind, type LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FORMS, type Form, startChild } from '../propagation/child-call.js';
import { type ConnectedClient, caseName, connect, errorOf, REQUEST, start } from './served-calls.js';

let leaf: RunningLeaf;
let connected: ConnectedClient;
let propagating: ConnectedClient;
let client: GrpcClient<LeafClient>;

beforeAll(async () => {
  leaf = await startLeaf();
  connected = connect(leaf.address);
  propagating = connect(leaf.address, { enableCallContextPropagation: true });
  client = connected.client;
});

afterAll(async () => {
  await connected[Symbol.asyncDispose]();
  await propagating[Symbol.asyncDispose]();
  await leaf[Symbol.asyncDispose]();
});

/** Whatever was sent before has arrived when a later call on the same connection is answered. */
async function arrivalsInTheEnd(caseId: string): Promise<number> {
  const later = startChild(client, 'unary', 'promise', `after ${caseId}`);
  (await leaf.arrived(`after ${caseId}`)).answer();
  await later;
  return leaf.arrivals(caseId);
}

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

const CASES = CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const));

describe.each(CASES)('%s, %s form', (kind: CallKind, form: Form) => {
  test('a signal that aborts later cancels the call; its reason is the cause', async () => {
    const caseId = caseName();
    const controller = new AbortController();
    const outcome = startChild(client, kind, form, caseId, { signal: controller.signal });
    const arrival = await leaf.arrived(caseId);
    expect(listeners(controller.signal)).toBe(1);
    const reason = new Error('the user left');

    controller.abort(reason);

    const error = await outcome;
    expect(error?.code).toBe(status.CANCELLED);
    expect(error?.details).toBe("Cancelled by the call's signal");
    expect(error?.cause).toBe(reason);
    await arrival.cancelled;
    expect(listeners(controller.signal)).toBe(0);
  });

  test('with a signal that has already aborted nothing reaches the server', async () => {
    const caseId = caseName();
    const signal = AbortSignal.abort('long ago');

    const error = await startChild(client, kind, form, caseId, { signal });

    expect(error).toMatchObject({ code: status.CANCELLED, cause: 'long ago' });
    expect(await arrivalsInTheEnd(caseId)).toBe(0);
    expect(listeners(signal)).toBe(0);
  });

  test.each([
    ['later', false],
    ['before the start', true],
  ])('a CallCancelledError with code 4 that comes %s is DEADLINE_EXCEEDED', async (_when, isEarly) => {
    const caseId = caseName();
    const controller = new AbortController();
    const reason = new CallCancelledError(4, 'the job took too long');
    if (isEarly) {
      controller.abort(reason);
    }
    const outcome = startChild(client, kind, form, caseId, { signal: controller.signal });
    if (!isEarly) {
      await leaf.arrived(caseId);
      controller.abort(reason);
    }

    const error = await outcome;
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error?.details).toBe("Cancelled by the call's signal: the job took too long");
    expect(error?.cause).toBe(reason);
  });

  test('a CallCancelledError with code 1 stays CANCELLED', async () => {
    const reason = new CallCancelledError(1, 'the job was stopped');

    const error = await startChild(client, kind, form, caseName(), { signal: AbortSignal.abort(reason) });

    expect(error).toMatchObject({ code: status.CANCELLED, cause: reason });
  });

  test.each(['success', 'failure', 'own deadline', 'refusal'])(
    'leaves no listener on the signal after %s',
    async (end) => {
      const caseId = caseName();
      const { signal } = new AbortController();
      const options: GrpcCallOptions = { signal };
      if (end === 'own deadline') {
        options.timeoutMs = 100;
      } else if (end === 'refusal') {
        options.deadline = 0;
      }
      const outcome = startChild(client, kind, form, caseId, options);
      expect(listeners(signal)).toBe(end === 'refusal' ? 0 : 1);
      if (end === 'success') {
        (await leaf.arrived(caseId)).answer();
      } else if (end === 'failure') {
        (await leaf.arrived(caseId)).fail(status.ABORTED, 'no');
      }

      const error = await outcome;

      expect(error?.code).toBe(
        { success: undefined, failure: status.ABORTED, 'own deadline': 4, refusal: 4 }[end as 'success'],
      );
      expect(listeners(signal)).toBe(0);
    },
  );

  test('the parent and its other calls do not notice', async () => {
    const caseId = caseName();
    const siblingId = caseName();
    const controller = new AbortController();
    await runInCallContext({ timeoutMs: 60_000 }, async (context) => {
      const outcome = startChild(propagating.client, kind, form, caseId, { signal: controller.signal });
      const sibling = startChild(propagating.client, kind, form, siblingId);
      await leaf.arrived(caseId);
      const siblingArrival = await leaf.arrived(siblingId);

      controller.abort();

      expect((await outcome)?.code).toBe(status.CANCELLED);
      expect(context.cancelled).toBe(false);
      expect(requireCallContext()).toBe(context);
      expect(siblingArrival.isOver).toBe(false);
      siblingArrival.answer();
      expect(await sibling).toBeUndefined();
    });
  });

  test('a hundred calls on one signal have one listener, and one abort ends them all', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): void => {
      warnings.push(warning);
    };
    process.on('warning', warn);
    const controller = new AbortController();
    const ids = Array.from({ length: 100 }, caseName);
    const outcomes = ids.map((id) => startChild(client, kind, form, id, { signal: controller.signal }));
    const arrivals = await Promise.all(ids.map((id) => leaf.arrived(id)));
    expect(listeners(controller.signal)).toBe(1);
    const reason = new Error('shutting down');

    controller.abort(reason);

    const errors = await Promise.all(outcomes);
    expect(new Set(errors.map((error) => error?.code))).toEqual(new Set([status.CANCELLED]));
    expect(new Set(errors.map((error) => error?.cause))).toEqual(new Set([reason]));
    await Promise.all(arrivals.map(({ cancelled }) => cancelled));
    expect(listeners(controller.signal)).toBe(0);
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });
});

describe('a shared signal', () => {
  test('keeps its listener until its last call has ended', async () => {
    const { signal } = new AbortController();
    const [early, late] = [caseName(), caseName()];
    const outcomes = [early, late].map((id) => startChild(client, 'unary', 'promise', id, { signal }));

    (await leaf.arrived(early)).answer();
    await outcomes[0];
    expect(listeners(signal)).toBe(1);
    (await leaf.arrived(late)).answer();
    await outcomes[1];

    expect(listeners(signal)).toBe(0);
  });

  test('ends a call that is started while it aborts', async () => {
    const controller = new AbortController();
    const caseId = caseName();
    let outcome: ReturnType<typeof startChild> | undefined;
    controller.signal.addEventListener('abort', () => {
      outcome = startChild(client, 'unary', 'promise', caseId, { signal: controller.signal });
    });
    const earlier = caseName();
    const first = startChild(client, 'unary', 'promise', earlier, { signal: controller.signal });
    await leaf.arrived(earlier);

    controller.abort();

    expect((await first)?.code).toBe(status.CANCELLED);
    expect((await outcome)?.code).toBe(status.CANCELLED);
    expect(await arrivalsInTheEnd(caseId)).toBe(0);
  });
});

test('AbortSignal.timeout() is CANCELLED with its TimeoutError as the cause', async () => {
  const caseId = caseName();

  const error = await startChild(client, 'unary', 'promise', caseId, { signal: AbortSignal.timeout(100) });

  expect(error?.code).toBe(status.CANCELLED);
  expect(error?.cause).toMatchObject({ name: 'TimeoutError' });
});

test('AbortSignal.any() works', async () => {
  const caseId = caseName();
  const controller = new AbortController();
  const outcome = startChild(client, 'unary', 'promise', caseId, {
    signal: AbortSignal.any([controller.signal, new AbortController().signal]),
  });
  await leaf.arrived(caseId);

  controller.abort('one of them');

  expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'one of them' });
});

test.each(CALL_KINDS)('what came first is the cause: the abort before cancel(), %s', async (kind) => {
  const caseId = caseName();
  const controller = new AbortController();
  const call = start(client, kind, { signal: controller.signal, metadata: { [CASE_KEY]: caseId } });
  const outcome = errorOf(call);
  await leaf.arrived(caseId);

  controller.abort('the signal');
  call.cancel('cancel()');

  expect((await outcome).cause).toBe('the signal');
});

test.each(CALL_KINDS)('what came first is the cause: cancel() before the abort, %s', async (kind) => {
  const caseId = caseName();
  const controller = new AbortController();
  const call = start(client, kind, { signal: controller.signal, metadata: { [CASE_KEY]: caseId } });
  const outcome = errorOf(call);
  await leaf.arrived(caseId);

  call.cancel('cancel()');
  controller.abort('the signal');

  expect((await outcome).cause).toBe('cancel()');
});

test('in the tick of the start an abort lets nothing run on at the server', async () => {
  for (const kind of CALL_KINDS) {
    const caseId = caseName();
    const controller = new AbortController();
    const outcome = startChild(client, kind, 'promise', caseId, { signal: controller.signal });
    controller.abort();

    expect((await outcome)?.code).toBe(status.CANCELLED);
    if ((await arrivalsInTheEnd(caseId)) > 0) {
      await (await leaf.arrived(caseId)).cancelled;
    }
    expect(listeners(controller.signal)).toBe(0);
  }
});

test('a call that nobody reads leaves no listener either', async () => {
  const { signal } = new AbortController();
  const caseId = caseName();
  const call = client.serverStream(REQUEST, { signal, metadata: { [CASE_KEY]: caseId } });
  (await leaf.arrived(caseId)).fail(status.ABORTED, 'no');

  expect((await call.status).code).toBe(status.ABORTED);
  expect(listeners(signal)).toBe(0);
});
