import { expect, test } from '@jest/globals';
import { spread } from '../../dist/figures/spread.js';

test('labels that are far enough apart stay where they are', () => {
  expect(spread([50, 10, 30], 15)).toEqual([50, 10, 30]);
});

test('labels in one place move apart around it, in their order', () => {
  expect(spread([20, 20, 20], 10)).toEqual([10, 20, 30]);
});

test('labels that move do not come too near to others', () => {
  expect(spread([100, 20, 22, 30], 10)).toEqual([100, 14, 24, 34]);
});
