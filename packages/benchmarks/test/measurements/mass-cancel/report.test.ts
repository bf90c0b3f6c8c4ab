import { expect, test } from '@jest/globals';
import type { Table } from '../../../dist/measurement.js';
import { type MassCancelRaw, reportMassCancel } from '../../../dist/measurements/mass-cancel/report.js';

const raw: MassCancelRaw = {
  connections: 20,
  callsPerConnection: 500,
  seats: ['bare', 'bare-again', 'context-callbacks', 'context-promises'].map((name) => ({
    name,
    title: `The ${name}`,
  })),
  samples: {
    bare: [sample(100, 200), sample(200, 400), sample(300, 600)],
    'bare-again': [sample(110, 200), sample(200, 400), sample(300, 600)],
    'context-callbacks': [sample(105, 208), sample(210, 440), sample(400, 900)],
    'context-promises': [sample(105, 240), sample(210, 480), sample(315, 720)],
  },
};

test('the table has medians, and the ratios of the rounds', () => {
  const [table] = reportMassCancel(raw).blocks.filter(
    (block): block is Table => typeof block === 'object' && 'rows' in block,
  );

  expect(table!.rows[2]).toEqual([
    'The context-callbacks',
    '210 (158 to 305)',
    '1.05 (1.05 to 1.19)',
    '440 (324 to 670)',
    '1.10 (1.07 to 1.30)',
  ]);
});

test('a target is met by both times, and missed by one', () => {
  const { targets } = reportMassCancel(raw);

  expect(targets.map(({ met }) => met)).toEqual([true, false]);
  expect(targets[0]!.text).toContain('10,000 calls');
});

function sample(cancelling: number, delivered: number): { cancelling: number; delivered: number } {
  return { cancelling, delivered };
}
