import { describe, expect, test } from '@jest/globals';
import { markdownReport } from '../../dist/report/markdown-report.js';
import type { ReportPart } from '../../dist/report/report-of.js';
import { madeUpMeasurement } from '../made-up-measurement.js';

function part(name: string, raw: Record<string, number>, results: Partial<ReportPart['results']> = {}): ReportPart {
  const measurement = madeUpMeasurement(name, raw);
  return {
    title: measurement.title,
    section: measurement.report(raw),
    figures: new Map(),
    results: {
      name,
      measuredAt: '2026-03-01T10:00:00.000Z',
      quick: false,
      node: 'v20.20.0',
      cpu: { model: 'A Processor', count: 4 },
      os: 'Linux 6.1 x64',
      memory: 16,
      versions: { 'nice-grpc': '2.1.18' },
      raw,
      ...results,
    },
  };
}

describe('the report', () => {
  test('says that it is written, and holds targets, sections, machine and versions', () => {
    const report = markdownReport([
      part('fast', { 'grpc-di': 0.25, 'nice-grpc': 12.5 }),
      part('slow', { 'grpc-di': 3 }),
    ]);

    expect(report).toMatch(/^<!-- Written by `npm run bench`/);
    expect(report.match(/^#+ .*$/gm)).toEqual([
      '# Benchmarks',
      '## Targets',
      '## Delays of fast',
      '## Delays of slow',
      '## Machine and versions',
    ]);
    expect(report).toContain(`
| target          | measured |          |
| :-------------- | -------: | :------- |
| fast below 1 ms |  0.25 ms | met      |
| slow below 1 ms |     3 ms | ❌ missed |
`);
    expect(report).toContain(`
How long it *takes*.

| contestant | delay, ms |
| :--------- | --------: |
| grpc-di    |      0.25 |
| nice-grpc  |     12.50 |

![Bars \\[of delays\\]](benchmarks/fast.svg)
`);
    expect(report).toContain('| 4 × A Processor | 16 GiB | Linux 6.1 x64 | v20.20.0 | 2026-03-01 |');
    expect(report).toMatch(/\| nice-grpc +\| 2\.1\.18/);
    expect(report).not.toContain('quick run: not');
  });

  test('tells measurements apart that were made elsewhere or with other versions', () => {
    const report = markdownReport([
      part('fast', { 'grpc-di': 1 }),
      part('slow', { 'grpc-di': 1 }, { node: 'v24.1.0', versions: { 'nice-grpc': '3.0.0' } }),
    ]);

    expect(report).toMatch(/\| v20\.20\.0 +\| 2026-03-01 +\| fast +\|/);
    expect(report).toMatch(/\| v24\.1\.0 +\| 2026-03-01 +\| slow +\|/);
    expect(report).toContain('2.1.18 (fast); 3.0.0 (slow)');
  });

  test('of a quick run says so', () => {
    expect(markdownReport([part('fast', { 'grpc-di': 1 }, { quick: true })])).toContain('not to be quoted');
  });
});
