import type { BenchRun, Measurement } from '../measurement.js';
import { kept, type RawResults, saveRawResults } from '../report/raw-results.js';
import { surroundings } from '../report/surroundings.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { terminalSection } from './terminal-section.js';
import { writeReport } from './write-report.js';

export interface Bench extends Pick<BenchRun, 'quick' | 'nodes'> {
  /** All there are: the report is of these. */
  readonly measurements: readonly Measurement[];
  readonly selected: readonly Measurement[];
  /** Gets `benchmarks.md` and, in `benchmarks/`, raw numbers and figures. */
  readonly folder: string;
  readonly output: Output;
}

/**
 * Measures one after the other, keeps what each gives at once, and writes the report. One that fails is told and does
 * not stop the others. Resolves to the exit code.
 */
export async function bench({ measurements, selected, folder, quick, nodes, output }: Bench): Promise<number> {
  const { red, bold } = output.colours;
  const progress = new Progress(output, selected.length);
  const failed: string[] = [];
  for (const measurement of selected) {
    progress.begin(measurement.name);
    try {
      const raw = await measurement.run({
        quick,
        nodes,
        earlier: <Raw>(name: string) => kept(folder, name)?.raw as Raw | undefined,
        progress: (done, total, doing) => progress.update(done, total, doing),
      });
      progress.end();
      const section = measurement.report(keep({ measurement, raw, quick, folder }));
      output.write(`${terminalSection(measurement.title, section, output.colours)}\n`);
    } catch (error) {
      progress.end();
      failed.push(measurement.name);
      output.write(`${red(bold(`${measurement.name} failed:`))} ${whatHappened(error)}\n\n`);
    }
  }
  const unreported = writeReport(measurements, folder, output);
  output.write(`It took ${progress.elapsed()} (minutes:seconds).\n`);
  if (failed.length > 0) {
    output.write(`${red('Failed:')} ${failed.join(', ')}. What was measured of them before is kept.\n`);
  }
  return failed.length > 0 ? 1 : unreported;
}

interface Measured {
  readonly measurement: Measurement;
  readonly raw: unknown;
  readonly quick: boolean;
  readonly folder: string;
}

/** Saves what was measured, and gives it as it will be read again. */
function keep({ measurement: { name }, raw, quick, folder }: Measured): unknown {
  const results: RawResults = { name, measuredAt: new Date().toISOString(), quick, ...surroundings(), raw };
  saveRawResults(folder, results);
  return kept(folder, name)!.raw;
}

function whatHappened(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
