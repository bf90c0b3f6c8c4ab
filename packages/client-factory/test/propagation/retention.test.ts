import 'reflect-metadata';
import { status } from '@grpc/grpc-js';
import { type CallContextScope, surroundingScope } from '@grpc-di/call-context/opener';
import {
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { FORMS, startChild } from './child-call.js';
import { REQUEST } from './front-server.js';

let leaf: RunningLeaf;
let container: Container;
let client: GrpcClient<LeafClient>;

beforeAll(async () => {
  leaf = await startLeaf();
  container = new Container();
  createGrpcClient(container, LeafClient, { address: leaf.address, enableCallContextPropagation: true });
  client = getGrpcClient(container, LeafClient);
});

afterAll(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await leaf[Symbol.asyncDispose]();
});

/** Runs `test` in a context that stays open all the while. */
function inOpenParent(run: (parent: CallContextScope) => Promise<void>): Promise<void> {
  return runInCallContext({ timeoutMs: 60_000 }, () => run(surroundingScope()!));
}

const CASES = CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const));

describe('a parent that goes on holds nothing of a child that', () => {
  test.each(CASES)('succeeded: %s, %s form', (kind, form) =>
    inOpenParent(async (parent) => {
      const caseId = `retention/success/${kind}/${form}`;
      const outcome = startChild(client, kind, form, caseId);
      const arrival = await leaf.arrived(caseId);
      expect(parent.subscriberCount).toBe(1);
      arrival.answer();
      expect(await outcome).toBeUndefined();
      expect(parent.subscriberCount).toBe(0);
    }),
  );

  test.each(CASES)('failed: %s, %s form', (kind, form) =>
    inOpenParent(async (parent) => {
      const caseId = `retention/failure/${kind}/${form}`;
      const outcome = startChild(client, kind, form, caseId);
      (await leaf.arrived(caseId)).fail(status.NOT_FOUND, 'no');
      expect((await outcome)?.code).toBe(status.NOT_FOUND);
      expect(parent.subscriberCount).toBe(0);
    }),
  );

  test.each(CASES)('was past its own deadline: %s, %s form', (kind, form) =>
    inOpenParent(async (parent) => {
      const error = await startChild(client, kind, form, `retention/deadline/${kind}/${form}`, { timeoutMs: 30 });
      expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
      expect(parent.subscriberCount).toBe(0);
    }),
  );

  test.each(CASES)('was cancelled by its signal: %s, %s form', (kind, form) =>
    inOpenParent(async (parent) => {
      const controller = new AbortController();
      const caseId = `retention/signal/${kind}/${form}`;
      const outcome = startChild(client, kind, form, caseId, { signal: controller.signal });
      await leaf.arrived(caseId);
      controller.abort();
      expect((await outcome)?.code).toBe(status.CANCELLED);
      expect(parent.subscriberCount).toBe(0);
      expect(parent.isCancelled).toBe(false);
    }),
  );

  test.each(['serverStream', 'bidi'] as const)('was left early: %s', (kind) =>
    inOpenParent(async (parent) => {
      const caseId = `retention/break/${kind}`;
      const options = { metadata: { [CASE_KEY]: caseId } };
      const call = kind === 'bidi' ? client.bidi([REQUEST], options) : client.serverStream(REQUEST, options);
      const arrival = await leaf.arrived(caseId);
      arrival.send({ id: 'first', text: '', deadline: 0 });
      for await (const _reply of call) {
        break;
      }
      await arrival.cancelled;
      expect((await call.status).code).toBe(status.CANCELLED);
      expect(parent.subscriberCount).toBe(0);
      expect(parent.isCancelled).toBe(false);
    }),
  );
});

test('a parent that ends holds none of its children, read or unread', async () => {
  let parent: CallContextScope | undefined;
  const calls = runInCallContext({ timeoutMs: 60_000 }, () => {
    parent = surroundingScope();
    return [1, 2, 3].map((index) =>
      client.serverStream(REQUEST, { metadata: { [CASE_KEY]: `retention/end/${index}` } }),
    );
  });
  expect(parent!.hasEnded).toBe(true);
  expect(parent!.subscriberCount).toBe(0);
  for (const [index, call] of calls.entries()) {
    (await leaf.arrived(`retention/end/${index + 1}`)).answer();
    for await (const reply of call) {
      expect(reply.id).toBe('leaf');
    }
  }
});
