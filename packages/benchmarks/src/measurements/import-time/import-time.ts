import { quartiles } from '../../harness/quartiles.js';
import { takeTurns } from '../../harness/turns.js';
import { WorkerProcess } from '../../harness/worker-process.js';
import type { Measurement } from '../../measurement.js';
import { installs } from '../install-size/installs.js';
import type { ImportingProcess } from './importing-process.js';

interface Import {
  /** None for the floor: a module that is empty. */
  readonly packages: readonly string[];
  /** Milliseconds, each in a process of its own. */
  readonly samples: readonly number[];
}

const emptyModule = new URL('./nothing.js', import.meta.url).href;

export const importTime: Measurement<readonly Import[]> = {
  name: 'import-time',
  title: 'Time to import',

  async run(bench) {
    const rounds = bench.quick ? 3 : 31;
    const lists = [[], ...(await installs())];
    const imports = new Map(lists.map((packages) => [packages.join(' '), { packages, samples: [] as number[] }]));
    let done = 0;
    const turns = [...imports.keys()].map((name) => ({ name, everyRounds: 1 }));
    await takeTurns(turns, rounds, async (name) => {
      const { packages, samples } = imports.get(name)!;
      bench.progress(done++, rounds * imports.size, packages.length === 0 ? 'an empty module' : packages.join(', '));
      samples.push(await timeToImport(packages));
    });
    return [...imports.values()];
  },

  report(raw) {
    return {
      blocks: [
        'In a process that has just started, one after the other, with the files in the cache of the operating system.',
        {
          columns: ['imported', 'median, ms', 'quartiles, ms', 'least, ms', 'processes'],
          rows: raw.map(({ packages, samples }) => {
            const { lower, median, upper, count } = quartiles(samples);
            return [
              packages.length === 0 ? 'an empty module' : packages.map((name) => `\`${name}\``).join(', '),
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

async function timeToImport(packages: readonly string[]): Promise<number> {
  const program = new URL('./importing-process.js', import.meta.url);
  const importing = await WorkerProcess.start<ImportingProcess>(program, {
    args: packages.length === 0 ? [emptyModule] : [...packages],
  });
  try {
    return await importing.ask('ms');
  } finally {
    await importing.close();
  }
}
