import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownReport } from './markdown-report.js';
import type { ReportPart } from './report-of.js';

/** Writes `benchmarks.md`, and its figures in place of all earlier ones; its path. */
export function saveReport(folder: string, parts: readonly ReportPart[]): string {
  const beside = join(folder, 'benchmarks');
  mkdirSync(beside, { recursive: true });
  for (const file of readdirSync(beside).filter((name) => name.endsWith('.svg'))) {
    rmSync(join(beside, file));
  }
  for (const [name, svg] of parts.flatMap(({ figures }) => [...figures])) {
    writeFileSync(join(beside, `${name}.svg`), svg);
  }
  const report = join(folder, 'benchmarks.md');
  writeFileSync(report, markdownReport(parts));
  return report;
}
