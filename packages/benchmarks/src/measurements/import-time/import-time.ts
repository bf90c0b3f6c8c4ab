import { quartiles } from '../../harness/quartiles.js';
import { takeTurns } from '../../harness/turns.js';
import { WorkerProcess } from '../../harness/worker-process.js';
import type { Measurement } from '../../measurement.js';
import { type Install, installs, listOf } from '../install-size/installs.js';
import type { ImportingProcess } from './process.js';

interface Imported extends Install {
  /** Milliseconds, each in a process of its own. */
  readonly samples: readonly number[];
}

const floor: Install = { name: 'an empty module', packages: [] };

export const importTime: Measurement<readonly Imported[]> = {
  name: 'import-time',
  title: 'Time to import',

  async run(bench) {
    const rounds = bench.quick ? 3 : 31;
    const lists = [floor, ...(await installs())];
    const imported = new Map(lists.map((install) => [install.name, { ...install, samples: [] as number[] }]));
    let done = 0;
    const turns = lists.map(({ name }) => ({ name, everyRounds: 1 }));
    await takeTurns(turns, rounds, async (name) => {
      bench.progress(done++, rounds * lists.length, name);
      const { packages, samples } = imported.get(name)!;
      samples.push(await timeToImport(packages));
    });
    return [...imported.values()];
  },

  report(raw) {
    return {
      blocks: [
        'In a process that has just started, one package after the other, with the files in the cache of the operating system.',
        listOf(raw.filter(({ packages }) => packages.length > 0)),
        {
          columns: ['', 'median, ms', 'quartiles, ms', 'least, ms', 'processes'],
          rows: raw.map(({ name, samples }) => {
            const { lower, median, upper, count } = quartiles(samples);
            return [
              name,
              median.toFixed(1),
              `${lower.toFixed(1)}–${upper.toFixed(1)}`,
              Math.min(...samples).toFixed(1),
              `${count}`,
            ];
          }),
        },
      ],
      targets: [],
    };
  },
};

const emptyModule = new URL('./nothing.js', import.meta.url).href;

async function timeToImport(packages: readonly string[]): Promise<number> {
  const program = new URL('./process.js', import.meta.url);
  const importing = await WorkerProcess.start<ImportingProcess>(program, {
    args: packages.length === 0 ? [emptyModule] : [...packages],
  });
  try {
    return await importing.ask('ms');
  } finally {
    await importing.close();
  }
}
