import type { ServerUnaryCall } from '@grpc/grpc-js';
import { afterEach, expect, test } from '@jest/globals';
import type { Contestant } from '../../../dist/contestants/contestant.js';
import { loadContestant } from '../../../dist/contestants/contestants.js';
import { grpcJsFrontend } from '../../../dist/contestants/grpc-js-frontend.js';
import { ServiceChain } from '../../../dist/measurements/chain/service-chain.js';

const lostAfterMs = 200;
const plan = { timeoutMs: 100, apartMs: 5 };

let chain: ServiceChain;

afterEach(() => chain.close());

test('a cancel is timed at the leaf, after it went through as many frontends as there are hops', async () => {
  const passed: string[] = [];
  chain = await ServiceChain.start(
    passingOn((call) => passed.push(call.request.id)),
    3,
  );

  const throughOne = await chain.cancel(1);
  const throughThree = await chain.cancel(3);

  expect(passed).toEqual(['0', '1', '1', '1']);
  expect(throughOne).toBeGreaterThan(0);
  expect(throughThree).toBeGreaterThan(0);
});

test('a cancel that is held up on its way takes longer by that', async () => {
  chain = await ServiceChain.start(
    passingOn((call) => call.prependListener('cancelled', () => block(30))),
    2,
  );

  expect(await chain.cancel(2)).toBeGreaterThanOrEqual(60);
});

test('a cancel that is not passed on never gets to the leaf, nor does the end of the deadline', async () => {
  chain = await ServiceChain.start(await loadContestant('grpc-js'), 2, { lostAfterMs });

  expect(await chain.cancel(2)).toBeNull();
  expect(await chain.deadlines([2], plan)).toEqual([{ hops: 2, ended: null, given: null }]);
});

test('calls end at the leaf about at the deadline, which it was given', async () => {
  chain = await ServiceChain.start(await loadContestant('grpc-js-parent'), 3);

  const ends = await chain.deadlines([1, 3], plan);

  expect(ends.map(({ hops }) => hops)).toEqual([1, 3]);
  for (const { given, ended } of ends) {
    expect(Math.abs(given!)).toBeLessThan(plan.timeoutMs);
    expect(Math.abs(ended!)).toBeLessThan(plan.timeoutMs);
  }
});

function passingOn(onCall: (call: ServerUnaryCall<{ id: string }, unknown>) => void): Contestant {
  return {
    name: 'passing on',
    packages: [],
    passesOn: { deadline: true, cancellation: true },
    startFrontend: (upstream) =>
      grpcJsFrontend(upstream, (call) => {
        onCall(call as ServerUnaryCall<{ id: string }, unknown>);
        return { parent: call };
      }),
  };
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
