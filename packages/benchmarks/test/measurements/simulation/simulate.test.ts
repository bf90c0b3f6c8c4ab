import { describe, expect, it } from '@jest/globals';
import { randomExponential, randomLcg } from 'd3-random';
import { drawCallGraph, simulateGraph } from '../../../dist/measurements/simulation/call-graph.js';
import { simulateChain } from '../../../dist/measurements/simulation/chain.js';
import { simulate } from '../../../dist/measurements/simulation/simulate.js';

const phases = { warmUpMs: 500, measuredMs: 2_000, afterwardsMs: 250 };
const setting = { workers: 4, meanWorkMs: 40, deadlineMs: 250, marginMs: 5, leastMs: 100, attempts: 2 };

describe('simulate()', () => {
  it.each([
    // Erlang's formula, c servers at 80 %: the chance to wait is 0.5964 for 4 and 0.8 for 1; times work / (c - busy).
    { queue: 'M/M/1', workers: 1, work: 'varied', expectedMs: 40 },
    { queue: 'M/M/4', workers: 4, work: 'varied', expectedMs: (0.5964 * 10) / 0.8 },
    // Pollaczek and Khinchine: half as long as with varied work.
    { queue: 'M/D/1', workers: 1, work: 'equal', expectedMs: 20 },
  ])('makes the jobs of $queue wait as the formula says, to a tenth', ({ workers, work, expectedMs }) => {
    // given
    const random = randomLcg(0.3);
    const lengthMs = randomExponential.source(random)(1 / 10);
    const gapMs = randomExponential.source(random)((workers * 0.8) / 10);
    const arrivals = [{ atMs: gapMs(), entry: 0 }];
    while (arrivals.length < 80_000) {
      arrivals.push({ atMs: arrivals.at(-1)!.atMs + gapMs(), entry: 0 });
    }

    // when
    const { meanWaitMs } = simulate({
      services: [{ workers, calls: [], leastMs: 0 }],
      arrivals,
      workMs: work === 'equal' ? () => 10 : lengthMs,
      deadlineMs: Infinity,
      attempts: 1,
      propagation: false,
      window: { fromMs: 0, toMs: Infinity },
    });

    // then
    expect(Math.abs(meanWaitMs / expectedMs - 1)).toBeLessThan(0.1);
  });

  it('comes to the same for the same seed, and to something else for another', () => {
    // given
    const point = { load: 1, service: 'with propagation' } as const;
    const once = (seed: number) => simulateGraph(drawCallGraph(seed), point, { warmUpMs: 0, measuredMs: 20 });

    // when, then
    expect(once(0.5)).toEqual(once(0.5));
    expect(once(0.5)).not.toEqual(once(0.25));
  });

  it('makes nothing of propagation where nobody waits', () => {
    // given
    const idle = { ...setting, workers: 1_000, deadlineMs: 100_000 };

    // when
    const without = simulateChain(idle, { load: 0.5, service: 'without propagation' }, phases);
    const withIt = simulateChain(idle, { load: 0.5, service: 'with propagation' }, phases);

    // then
    expect(withIt).toEqual(without);
    expect(withIt.wastedMs).toBe(0);
  });

  it('lets the jobs of clients that have given up go with propagation only', () => {
    // given a client that gives up after 10 ms, while another's job takes 100 ms
    const blocked = (propagation: false | { marginMs: number }) =>
      simulate({
        services: [{ workers: 1, calls: [], leastMs: 0 }],
        arrivals: [
          { atMs: 0, entry: 0 },
          { atMs: 5, entry: 0 },
        ],
        workMs: () => 100,
        deadlineMs: 10,
        attempts: 1,
        propagation,
        window: { fromMs: 0, toMs: 1_000 },
      });

    // when, then
    expect(blocked(false)).toMatchObject({ answered: 0, wastedMs: 200 });
    expect(blocked({ marginMs: 0 })).toMatchObject({ answered: 0, wastedMs: 15 });
  });
});
