import 'reflect-metadata';
import { CallContextScope } from '@grpc-di/call-context/opener';
import {
  CallContextNotFoundError,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from '../call/served-calls.js';
import { record } from './recorder.js';

type Consequence = 'throw' | 'warn' | 'ignore';

let leaf: RunningLeaf;
let container: Container;

beforeAll(async () => {
  leaf = await startLeaf();
  container = new Container();
  for (const onContextNotFound of ['throw', 'warn', 'ignore'] as const) {
    createGrpcClient(container, LeafClient, {
      name: onContextNotFound,
      address: leaf.address,
      enableCallContextPropagation: { onContextNotFound },
    });
  }
});

afterAll(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await leaf[Symbol.asyncDispose]();
});

/** Calls outside any context, or inside one that has ended. */
async function call(client: GrpcClient<LeafClient>, caseId: string): Promise<void> {
  const started = client.unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
  (await leaf.arrived(caseId)).answer();
  await started;
}

function inEndedCall<T>(fn: () => T): T {
  const scope = new CallContextScope({ name: '/shop.v1.Orders/Place' });
  scope.end();
  return scope.run(fn);
}

describe.each([
  ['no-call', <T>(fn: () => T): T => fn(), /This code runs in no call/],
  ['call-ended', inEndedCall, /The call of \/shop\.v1\.Orders\/Place ended \d+ ms before/],
] as const)('a call without a context: %s', (reason, place, details) => {
  test.each<Consequence>(['throw', 'warn', 'ignore'])('is told each time, also to %s', async (onContextNotFound) => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    using recording = record(['contextNotFound', 'callStart']);
    const client = getGrpcClient(container, LeafClient, onContextNotFound);
    for (const round of [1, 2]) {
      const attempt = (): Promise<void> => place(() => call(client, `${reason}/${onContextNotFound}/${round}`));
      if (onContextNotFound === 'throw') {
        await expect(attempt).rejects.toThrow(CallContextNotFoundError);
      } else {
        await attempt();
      }
    }
    const message = {
      client: onContextNotFound,
      method: '/grpc_di.test.v1.Leaf/Unary',
      reason,
      details: expect.stringMatching(details),
      onContextNotFound,
    };
    expect(recording.of('contextNotFound')).toStrictEqual([message, message]);
    expect(recording.of('callStart')).toHaveLength(onContextNotFound === 'throw' ? 0 : 2);
    expect(warning).toHaveBeenCalledTimes(onContextNotFound === 'warn' ? 1 : 0);
    warning.mockRestore();
  });
});

test('a call in a context tells nothing of it', async () => {
  using recording = record(['contextNotFound']);
  await runInCallContext({}, () => call(getGrpcClient(container, LeafClient, 'throw'), 'found'));
  expect(recording.order).toEqual([]);
});
