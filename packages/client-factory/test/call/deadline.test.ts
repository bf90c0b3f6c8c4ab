import 'reflect-metadata';
import { status } from '@grpc/grpc-js';
import type { GrpcCallOptions } from '@grpc-di/client-factory';
import { CALL_KINDS, type CallKind, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FORMS, type Form, startChild } from '../propagation/child-call.js';
import { type ConnectedClient, caseName, connect, thrownBy } from './served-calls.js';

/** A default that tests never wait for. */
const DEFAULT_MS = 45_000;

let leaf: RunningLeaf;
let plain: ConnectedClient;
let withDefault: ConnectedClient;

beforeAll(async () => {
  leaf = await startLeaf();
  plain = connect(leaf.address);
  withDefault = connect(leaf.address, { timeoutMs: DEFAULT_MS });
});

afterAll(async () => {
  await plain[Symbol.asyncDispose]();
  await withDefault[Symbol.asyncDispose]();
  await leaf[Symbol.asyncDispose]();
});

async function arrivalsInTheEnd(caseId: string): Promise<number> {
  const later = startChild(plain.client, 'unary', 'promise', `after ${caseId}`);
  (await leaf.arrived(`after ${caseId}`)).answer();
  await later;
  return leaf.arrivals(caseId);
}

/** Milliseconds from the start of a call to its deadline, as the server understood it. */
async function timeoutAtServer(
  { client }: ConnectedClient,
  kind: CallKind,
  form: Form,
  options: GrpcCallOptions,
): Promise<number> {
  const caseId = caseName();
  const startedAt = Date.now();
  const outcome = startChild(client, kind, form, caseId, options);
  const arrival = await leaf.arrived(caseId);
  arrival.answer();
  await outcome;
  return arrival.deadline - startedAt;
}

/** The server counts from the arrival, and a test may be slow: near enough to be this one and none of the others. */
function expectAbout(timeout: number, ms: number): void {
  expect(timeout).toBeGreaterThan(ms - 5_000);
  expect(timeout).toBeLessThan(ms + 10_000);
}

const CASES = CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const));

describe.each(CASES)('%s, %s form', (kind: CallKind, form: Form) => {
  test('the smaller of deadline and timeoutMs counts', async () => {
    const now = Date.now();
    expectAbout(await timeoutAtServer(plain, kind, form, { deadline: now + 60_000, timeoutMs: 20_000 }), 20_000);
    expectAbout(await timeoutAtServer(plain, kind, form, { deadline: now + 20_000, timeoutMs: 60_000 }), 20_000);
    expectAbout(
      await timeoutAtServer(plain, kind, form, { deadline: new Date(now + 20_000), timeoutMs: 60_000 }),
      20_000,
    );
    expectAbout(await timeoutAtServer(plain, kind, form, { deadline: Infinity, timeoutMs: 20_000 }), 20_000);
    expectAbout(await timeoutAtServer(plain, kind, form, { deadline: now + 20_000, timeoutMs: Infinity }), 20_000);
  });

  test('each works alone, a Date too; without them there is none', async () => {
    expectAbout(await timeoutAtServer(plain, kind, form, { timeoutMs: 20_000 }), 20_000);
    expectAbout(await timeoutAtServer(plain, kind, form, { deadline: Date.now() + 20_000 }), 20_000);
    expectAbout(await timeoutAtServer(plain, kind, form, { deadline: new Date(Date.now() + 20_000) }), 20_000);
    expect(await timeoutAtServer(plain, kind, form, {})).toBe(Infinity);
    expect(await timeoutAtServer(plain, kind, form, { deadline: undefined, timeoutMs: undefined })).toBe(Infinity);
  });

  test("the client's default counts where the call sets neither, and not where it sets a longer one", async () => {
    expectAbout(await timeoutAtServer(withDefault, kind, form, {}), DEFAULT_MS);
    expectAbout(await timeoutAtServer(withDefault, kind, form, { timeoutMs: undefined }), DEFAULT_MS);
    expectAbout(await timeoutAtServer(withDefault, kind, form, { timeoutMs: 90_000 }), 90_000);
    expectAbout(await timeoutAtServer(withDefault, kind, form, { deadline: Date.now() + 90_000 }), 90_000);
    expectAbout(await timeoutAtServer(withDefault, kind, form, { timeoutMs: 20_000 }), 20_000);
  });

  test("Infinity switches the client's default off", async () => {
    expect(await timeoutAtServer(withDefault, kind, form, { timeoutMs: Infinity })).toBe(Infinity);
    expect(await timeoutAtServer(withDefault, kind, form, { deadline: Infinity })).toBe(Infinity);
  });

  test('an own deadline that passes says so, and has no cause', async () => {
    const caseId = caseName();
    const deadline = Date.now() + 150;
    const outcome = startChild(withDefault.client, kind, form, caseId, { deadline });

    const error = await outcome;

    // grpc-js's timer may be early by the fraction of a millisecond that Date.now() cuts off.
    expect(Date.now()).toBeGreaterThanOrEqual(deadline - 1);
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error?.details).toMatch(/^Deadline exceeded.* \(the call's own deadline\)$/);
    expect(error?.message).toBe(`4 DEADLINE_EXCEEDED: ${error?.details}`);
    expect(error?.cause).toBeUndefined();
    if (leaf.arrivals(caseId) > 0) {
      await (await leaf.arrived(caseId)).cancelled;
    }
  });

  test("the client's default that passes says so", async () => {
    await using brisk = connect(leaf.address, { timeoutMs: 150 });
    const caseId = caseName();

    const error = await startChild(brisk.client, kind, form, caseId);

    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error?.details).toMatch(
      /^Deadline exceeded.* \(the default timeoutMs of gRPC client 'grpc_di\.test\.v1\.Leaf'\)$/,
    );
    expect(error?.cause).toBeUndefined();
  });

  test("DEADLINE_EXCEEDED that the server answers of its own accord says nothing of the call's deadline", async () => {
    const caseId = caseName();
    const outcome = startChild(withDefault.client, kind, form, caseId);
    (await leaf.arrived(caseId)).fail(status.DEADLINE_EXCEEDED, 'mine');

    expect((await outcome)?.details).toBe('mine');
  });

  test.each([
    ['a timeoutMs of 0', { timeoutMs: 0 }],
    ['a negative timeoutMs', { timeoutMs: -1 }],
    ['a timeoutMs of -Infinity', { timeoutMs: -Infinity }],
    ['a deadline of 0', { deadline: 0 }],
    ['a deadline of now', () => ({ deadline: Date.now() })],
    ['a Date in the past', { deadline: new Date(2000, 1) }],
    ['one that is past, beside one that is not', { deadline: 1, timeoutMs: 60_000 }],
  ])('%s is over at once: nothing reaches the server', async (_name, given) => {
    const caseId = caseName();
    const options: GrpcCallOptions = typeof given === 'function' ? given() : given;

    const error = await startChild(withDefault.client, kind, form, caseId, options);

    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(error?.details).toBe("Deadline exceeded (the call's own deadline)");
    expect(await arrivalsInTheEnd(caseId)).toBe(0);
  });

  const NUMBERS = 'must be a number of milliseconds (Infinity for no deadline)';
  const DATES = 'must be a valid Date or a number of epoch milliseconds (Infinity for no deadline)';

  test.each([
    ['timeoutMs', Number.NaN, `${NUMBERS}, not NaN`],
    ['timeoutMs', '500', `${NUMBERS}, not '500'`],
    ['timeoutMs', 500n, `${NUMBERS}, not 500n`],
    ['timeoutMs', null, `${NUMBERS}, not null`],
    ['timeoutMs', true, `${NUMBERS}, not true`],
    ['timeoutMs', {}, `${NUMBERS}, not {}`],
    ['timeoutMs', new Date(0), `${NUMBERS}, not 1970-01-01T00:00:00.000Z`],
    ['deadline', Number.NaN, `${DATES}, not NaN`],
    ['deadline', new Date(Number.NaN), `${DATES}, not Invalid Date`],
    ['deadline', '2030-01-01', `${DATES}, not '2030-01-01'`],
    ['deadline', null, `${DATES}, not null`],
    ['deadline', false, `${DATES}, not false`],
    ['deadline', 10n, `${DATES}, not 10n`],
    ['deadline', { seconds: 5 }, `${DATES}, not { seconds: 5 }`],
  ])('%s: %p is a TypeError at the call site, and nothing was made', async (option, value, rule) => {
    const caseId = caseName();
    const method = kind[0]!.toUpperCase() + kind.slice(1);

    const error = thrownBy(() => startChild(plain.client, kind, form, caseId, { [option]: value }));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`/grpc_di.test.v1.Leaf/${method}: ${option} ${rule}`);
    expect(await arrivalsInTheEnd(caseId)).toBe(0);
  });
});

test.each([24.9 * 86_400_000, 365 * 86_400_000, 1e15, 8.64e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE])(
  'a timeoutMs of %d neither crashes nor ends early',
  async (timeoutMs) => {
    const caseId = caseName();
    const outcome = startChild(plain.client, 'unary', 'promise', caseId, { timeoutMs });
    const arrival = await leaf.arrived(caseId);
    arrival.answer();

    expect(await outcome).toBeUndefined();
  },
);
