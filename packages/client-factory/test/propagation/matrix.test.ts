import 'reflect-metadata';
import { once } from 'node:events';
import { type ServiceError, status } from '@grpc/grpc-js';
import {
  CallCancelledError,
  CallContextNotFoundError,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
} from '@grpc-di/client-factory';
import {
  type Arrival,
  CALL_KINDS,
  type CallKind,
  LeafClient,
  type RunningLeaf,
  startLeaf,
  startTcpProxy,
} from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { FORMS, type Form, startChild } from './child-call.js';
import { type FrontServer, type ParentCall, startFront } from './front-server.js';

/** Longer than any test takes, even on a busy machine: a deadline that must not matter. */
const FAR_MS = 60_000;

let leaf: RunningLeaf;
let front: FrontServer;
let container: Container;
let client: GrpcClient<LeafClient>;
let plainClient: GrpcClient<LeafClient>;

beforeAll(async () => {
  leaf = await startLeaf();
  front = await startFront();
  container = new Container();
  createGrpcClient(container, LeafClient, { address: leaf.address, enableCallContextPropagation: true });
  createGrpcClient(container, LeafClient, { name: 'plain', address: leaf.address });
  client = getGrpcClient(container, LeafClient);
  plainClient = getGrpcClient(container, LeafClient, 'plain');
});

afterAll(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await front[Symbol.asyncDispose]();
  await leaf[Symbol.asyncDispose]();
});

const CASES = CALL_KINDS.flatMap((parent) =>
  CALL_KINDS.flatMap((child) => FORMS.map((form) => [parent, child, form] as const)),
);

function matrix(
  condition: string,
  run: (parent: CallKind, child: CallKind, form: Form, caseId: string) => Promise<void>,
): void {
  describe(condition, () => {
    test.concurrent.each(CASES)('%s parent, %s child, %s form', (parent, child, form) =>
      run(parent, child, form, [condition, parent, child, form].join('/').replaceAll(' ', '-')),
    );
  });
}

interface Running {
  outcome: Promise<ServiceError | undefined>;
  arrival: Arrival;
}

async function startInside(
  parent: ParentCall,
  kind: CallKind,
  form: Form,
  caseId: string,
  timeoutMs?: number,
): Promise<Running> {
  const outcome = parent.run(() =>
    startChild(client, kind, form, caseId, timeoutMs === undefined ? {} : { timeoutMs }),
  );
  return { outcome, arrival: await leaf.arrived(caseId) };
}

/** Whatever the client sent before has arrived when a later call on the same connection is answered. */
async function arrivalsInTheEnd(caseId: string): Promise<number> {
  const later = startChild(plainClient, 'unary', 'promise', `after/${caseId}`);
  (await leaf.arrived(`after/${caseId}`)).answer();
  await later;
  return leaf.arrivals(caseId);
}

function causeCode(error: ServiceError | undefined): number | undefined {
  expect(error?.cause).toBeInstanceOf(CallCancelledError);
  return (error!.cause as CallCancelledError).code;
}

matrix('client cancels', async (parentKind, childKind, form, caseId) => {
  const parent = await front.open(parentKind, caseId);
  const { outcome, arrival } = await startInside(parent, childKind, form, caseId);
  expect(parent.scope.subscriberCount).toBe(1);

  parent.client.cancel();

  const error = await outcome;
  expect(error?.code).toBe(status.CANCELLED);
  expect(causeCode(error)).toBe(1);
  await arrival.cancelled;
  expect(arrival.deadline).toBe(Infinity);
  expect(parent.scope.subscriberCount).toBe(0);
});

matrix('connection drops', async (parentKind, childKind, form, caseId) => {
  await using proxy = await startTcpProxy(front.port);
  const parent = await front.open(parentKind, caseId, { address: proxy.address });
  const { outcome, arrival } = await startInside(parent, childKind, form, caseId);

  proxy.cut();

  const error = await outcome;
  expect(error?.code).toBe(status.CANCELLED);
  expect(causeCode(error)).toBe(1);
  await arrival.cancelled;
  expect(parent.scope.subscriberCount).toBe(0);
});

matrix("parent's deadline", async (parentKind, childKind, form, caseId) => {
  // Far enough for five chains at once to reach the leaf on a slow machine.
  const deadline = Date.now() + 1_000;
  const parent = await front.open(parentKind, caseId, { deadline });
  const { outcome, arrival } = await startInside(parent, childKind, form, caseId);
  // Each hop rounds up to a millisecond and starts counting when the request arrives: later, never much earlier.
  expect(arrival.deadline).toBeGreaterThanOrEqual(deadline - 5);
  expect(arrival.deadline).toBeLessThan(deadline + 900);

  const error = await outcome;

  expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
  expect(causeCode(error)).toBe(4);
  expect(error?.details).toContain("the parent's deadline");
  await arrival.cancelled;
  expect(parent.scope.subscriberCount).toBe(0);
});

matrix("child's own smaller deadline", async (parentKind, childKind, form, caseId) => {
  const parent = await front.open(parentKind, caseId, { deadline: Date.now() + FAR_MS });
  const { outcome, arrival } = await startInside(parent, childKind, form, caseId, 500);

  const error = await outcome;

  expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
  expect(error?.details).toContain("(the call's own deadline)");
  expect(error?.cause).toBeUndefined();
  await arrival.cancelled;
  expect(parent.scope.isCancelled).toBe(false);
  expect(parent.scope.subscriberCount).toBe(0);
  parent.complete();
});

matrix('handler completes first', async (parentKind, childKind, form, caseId) => {
  const parent = await front.open(parentKind, caseId, { deadline: Date.now() + FAR_MS });
  const { outcome, arrival } = await startInside(parent, childKind, form, caseId);

  parent.complete();

  expect((await parent.client.ended).code).toBe(status.OK);
  expect(parent.scope.hasEnded).toBe(true);
  expect(parent.scope.subscriberCount).toBe(0);
  expect(arrival.isOver).toBe(false);
  expect(arrival.deadline).toBeLessThan(Infinity);
  arrival.answer();
  expect(await outcome).toBeUndefined();
});

matrix('already cancelled', async (parentKind, childKind, form, caseId) => {
  const parent = await front.open(parentKind, caseId);
  const aborted = once(parent.scope.signal, 'abort');
  parent.client.cancel();
  await aborted;

  const error = await parent.run(() => startChild(client, childKind, form, caseId));

  expect(error?.code).toBe(status.CANCELLED);
  expect(causeCode(error)).toBe(1);
  expect(await arrivalsInTheEnd(caseId)).toBe(0);
  expect(parent.scope.subscriberCount).toBe(0);
});

matrix('already ended', async (parentKind, childKind, form, caseId) => {
  const parent = await front.open(parentKind, caseId);
  parent.complete();
  await parent.client.ended;

  const start = (): unknown => parent.run(() => startChild(client, childKind, form, caseId));

  expect(start).toThrow(CallContextNotFoundError);
  expect(start).toThrow(/^gRPC client 'grpc_di\.test\.v1\.Leaf' .* ended \d+ ms before/);
  expect(await arrivalsInTheEnd(caseId)).toBe(0);
});

matrix('no context', async (_parentKind, childKind, form, caseId) => {
  const start = (): unknown => startChild(client, childKind, form, caseId);

  expect(start).toThrow(CallContextNotFoundError);
  expect(start).toThrow(/This code runs in no call/);
  expect(await arrivalsInTheEnd(caseId)).toBe(0);
});
