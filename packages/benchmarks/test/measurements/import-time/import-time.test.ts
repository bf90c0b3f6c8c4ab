import { expect, test } from '@jest/globals';
import { WorkerProcess } from '../../../dist/harness/worker-process.js';
import type { Table } from '../../../dist/measurement.js';
import { importTime } from '../../../dist/measurements/import-time/import-time.js';
import type { ImportingProcess } from '../../../dist/measurements/import-time/process.js';

test('the clock runs while the modules load', async () => {
  const program = new URL('../../../dist/measurements/import-time/process.js', import.meta.url);
  const slow = 'data:text/javascript,const end = performance.now() + 50; while (performance.now() < end);';
  const importing = await WorkerProcess.start<ImportingProcess>(program, { args: ['./nothing.js', slow] });

  const ms = await importing.ask('ms');

  await importing.close();
  expect(ms).toBeGreaterThan(50);
});

test('the report has medians, quartiles and the least', () => {
  const { blocks } = importTime.report([
    { name: 'nothing', packages: [], samples: [0.5] },
    { name: 'both', packages: ['one', 'two'], samples: [50, 10, 30, 20, 40] },
  ]);

  const table = blocks.find((block): block is Table => typeof block === 'object' && 'rows' in block)!;
  expect(blocks).toContain('- both: `one`, `two`');
  expect(table.rows).toEqual([
    ['nothing', '0.5', '0.5–0.5', '0.5', '1'],
    ['both', '30.0', '20.0–40.0', '10.0', '5'],
  ]);
});
