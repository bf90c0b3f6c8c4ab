import type { Measurement } from '../measurement.js';
import { reportOf } from '../report/report-of.js';
import { saveReport } from '../report/save-report.js';
import type { Output } from './output.js';

/** Writes the report from the raw numbers in a folder, and tells where it is; the exit code. */
export function writeReport(measurements: readonly Measurement[], folder: string, output: Output): number {
  const { red } = output.colours;
  const { parts, problems } = reportOf(measurements, folder);
  for (const problem of problems) {
    output.write(`${red('Not in the report:')} ${problem}\n`);
  }
  if (parts.length === 0) {
    output.write('There are no raw numbers to report: measure first.\n');
    return 1;
  }
  output.write(`The report is in ${saveReport(folder, parts)}\n`);
  return problems.length > 0 ? 1 : 0;
}
