import { expect, test } from '@jest/globals';
import type { Table } from '../../../dist/measurement.js';
import { type ContestantRetention, reportRetention } from '../../../dist/measurements/retention/report.js';

test('the report divides the growth by the calls, and takes the median of the delays before', () => {
  const { blocks } = reportRetention({
    contestants: [contestant('leaking', 2_000_000, { replyDelayAfter: 123.4, warnings: ['Leak: one', 'Leak: two'] })],
  });

  const [table] = blocks.filter((block): block is Table => typeof block === 'object' && 'rows' in block);
  expect(table!.rows).toEqual([['The leaking', '10,000', '200', '2.00 ms', '123 ms', 'Leak']]);
});

test.each([
  ['met', 990_000, true, '99.0 bytes (The grpc-js: -5.0)'],
  ['missed', 1_010_000, false, '101 bytes (The grpc-js: -5.0)'],
])('the target is %s by what grpc-di keeps', (_, growth, met, measured) => {
  const { targets } = reportRetention({ contestants: [contestant('grpc-js', -50_000), contestant('grpc-di', growth)] });

  expect(targets).toEqual([expect.objectContaining({ met, measured })]);
});

function contestant(name: string, growth: number, measured: Partial<ContestantRetention> = {}): ContestantRetention {
  return {
    name,
    title: `The ${name}`,
    heap: [
      { calls: 0, bytes: 5_000_000 },
      { calls: 10_000, bytes: 5_000_000 + growth },
    ],
    replyDelaysBefore: [1, 9, 2],
    replyDelayAfter: 3,
    warnings: [],
    ...measured,
  };
}
