import { expect, test } from '@jest/globals';
import { takeTurns } from '../../dist/harness/turns.js';

test('each takes one turn per round of its own, and a round ends before the next begins', async () => {
  const taken: [string, number][] = [];

  await takeTurns(
    [
      { name: 'always', everyRounds: 1 },
      { name: 'seldom', everyRounds: 3 },
    ],
    5,
    async (name, round) => {
      taken.push([name, round]);
    },
  );

  expect(taken.filter(([name]) => name === 'always').map(([, round]) => round)).toEqual([0, 1, 2, 3, 4]);
  expect(taken.filter(([name]) => name === 'seldom').map(([, round]) => round)).toEqual([0, 3]);
  const rounds = taken.map(([, round]) => round);
  expect(rounds).toEqual(rounds.toSorted((a, b) => a - b));
});
