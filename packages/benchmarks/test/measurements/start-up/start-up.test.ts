import { expect, test } from '@jest/globals';
import type { Table } from '../../../dist/measurement.js';
import { startUp } from '../../../dist/measurements/start-up/start-up.js';

test('the report has medians and quartiles, each in its unit', () => {
  const samples = [1, 2, 3, 4, 5].map((n) => ({
    register: n * 10,
    first: n / 10,
    same: n / 1_000,
    another: n / 100,
    others: n,
    heapRegistered: n * 1e6,
    heapResolved: n * 2e6,
  }));

  const { blocks } = startUp.report({
    clients: 1_000,
    samples: { 'grpc-js': samples, inversify: samples, 'grpc-di': samples, nestjs: samples },
  });

  const [times, memory] = blocks.filter((block): block is Table => typeof block === 'object' && 'rows' in block);
  expect(times!.rows).toHaveLength(4);
  expect(times!.rows[2]).toEqual([
    'grpc-di, `createGrpcClient()`',
    '30.0 (20.0–40.0)',
    '300 (200–400)',
    '3.00 (2.00–4.00)',
    '30.0 (20.0–40.0)',
    '3.00 (2.00–4.00)',
  ]);
  expect(memory!.rows[2]!.slice(1)).toEqual(['3.00 (2.00–4.00)', '6.00 (4.00–8.00)']);
});
