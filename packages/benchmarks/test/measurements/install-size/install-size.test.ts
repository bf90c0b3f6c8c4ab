import { expect, test } from '@jest/globals';
import { contestants, loadContestant } from '../../../dist/contestants/contestants.js';
import type { Table } from '../../../dist/measurement.js';
import { installSize } from '../../../dist/measurements/install-size/install-size.js';

test("every contestant's packages are measured, and what they bring along", async () => {
  const raw = await installSize.run({ quick: true, nodes: [], progress() {} });

  for (const name of Object.keys(contestants)) {
    const { packages } = await loadContestant(name);
    const { size } = raw.find((install) => install.packages.join() === packages.join())!;
    const found = size.packages.map((version) => version.slice(0, version.lastIndexOf('@')));
    expect(found).toEqual(expect.arrayContaining([...packages]));
    expect(size.bytes).toBeGreaterThan(100_000);
  }
});

test('the report has a row for each', () => {
  const { blocks } = installSize.report([
    {
      name: 'both',
      packages: ['one', 'two'],
      size: { bytes: 1_234_567, files: 89, packages: ['one@1.0.0', 'two@1.0.0', 'peer@1.0.0'] },
    },
  ]);

  const table = blocks.find((block): block is Table => typeof block === 'object' && 'rows' in block)!;
  expect(blocks).toContain('- both: `one`, `two`');
  expect(table.rows).toEqual([['both', '1.23', '3', '89']]);
});
