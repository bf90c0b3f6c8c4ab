import { expect, test } from '@jest/globals';
import type { Table } from '../../../dist/measurement.js';
import { type ChainRaw, reportChain } from '../../../dist/measurements/chain/report.js';

const raw: ChainRaw = {
  hops: [1, 10],
  timeoutMs: 100,
  seats: ['grpc-js-parent', 'grpc-js-parent-again', 'grpc-di'].map((name) => ({
    name,
    contestant: name.replace('-again', ''),
    title: `The ${name}`,
    cancellation: true,
  })),
  leftOut: ['The floor'],
  cancels: {
    'grpc-js-parent': [
      [[1], [1]],
      [
        [1, 2, 3],
        [4, 4, 4],
      ],
    ],
    'grpc-js-parent-again': [
      [[1], [1]],
      [[2], [4]],
    ],
    'grpc-di': [
      [[null], [2]],
      [[3], [null, 8]],
    ],
  },
  deadlines: {
    'grpc-js-parent': [],
    'grpc-js-parent-again': [],
    'grpc-di': [
      { hops: 1, ended: -1, given: 0 },
      { hops: 1, ended: 2, given: 1 },
      { hops: 1, ended: null, given: null },
      { hops: 10, ended: 5, given: null },
    ],
  },
};

test('the tables have the medians, the ratios of the rounds, and what never arrived', () => {
  const tables = reportChain(raw).blocks.filter(
    (block): block is Table => typeof block === 'object' && 'rows' in block,
  );

  const [cancels, deadlines] = tables.map(({ rows }) => rows.filter(([title]) => title === 'The grpc-di'));
  expect(cancels).toEqual([
    ['The grpc-di', '1', '2.00 (2.00 to 2.00)', '2.00 (2.00 to 2.00)', '1 of 2'],
    ['The grpc-di', '10', '5.50 (4.25 to 6.75)', '1.75 (1.63 to 1.88)', '1 of 3'],
  ]);
  expect(deadlines).toEqual([
    ['The grpc-di', '1', '0.50 (0.25 to 0.75)', '0.50 (-0.25 to 1.25)', '1 of 3'],
    ['The grpc-di', '10', 'none', '5.00 (5.00 to 5.00)', '0 of 1'],
  ]);
});

test('contestants without cancellation are named', () => {
  expect(
    reportChain(raw)
      .blocks.filter((block) => typeof block === 'string')
      .join('\n'),
  ).toContain('The floor');
});

test('a slower cancel misses the target, one within the noise meets it', () => {
  const [missed] = reportChain(raw).targets;
  const noisy = {
    ...raw.cancels,
    'grpc-js-parent-again': [
      [[1], [1]],
      [[4], [8]],
    ],
  };
  const [met] = reportChain({ ...raw, cancels: noisy }).targets;

  expect(missed!.met).toBe(false);
  expect(met!.met).toBe(true);
});
