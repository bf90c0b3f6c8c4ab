import { expect, test } from '@jest/globals';
import { spread } from '../../dist/figures/spread.js';

function spreadIn(low: number, high: number, size: number, ...wanted: number[]): number[] {
  return spread(
    wanted.map((each) => ({ wanted: each, size })),
    low,
    high,
  );
}

test('labels that are far enough apart stay where they are', () => {
  expect(spreadIn(0, 100, 15, 50, 10, 30)).toEqual([50, 10, 30]);
});

test('labels in one place move apart around it, in their order', () => {
  expect(spreadIn(0, 100, 10, 20, 20, 20)).toEqual([10, 20, 30]);
});

test('labels that move do not come too near to others', () => {
  expect(spreadIn(0, 200, 10, 100, 20, 22, 30)).toEqual([100, 14, 24, 34]);
});

test('labels at the edge stay inside', () => {
  expect(spreadIn(0, 100, 10, 1, 1, 99)).toEqual([5, 15, 95]);
});

test('labels of several lines take more room', () => {
  const things = [
    { wanted: 50, size: 30 },
    { wanted: 50, size: 10 },
  ];

  expect(spread(things, 0, 100)).toEqual([40, 60]);
});
