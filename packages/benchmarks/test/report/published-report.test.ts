import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { measurements } from '../../dist/measurements/measurements.js';
import { markdownReport } from '../../dist/report/markdown-report.js';
import { reportOf } from '../../dist/report/report-of.js';

const docs = fileURLToPath(new URL('../../../../docs/', import.meta.url));

test('what is published is what the measurements say today of the raw numbers beside it, from no quick run', () => {
  const { parts, problems } = reportOf(measurements, docs);

  expect(problems).toEqual([]);
  expect(parts.map(({ results }) => results.name)).toEqual(measurements.map(({ name }) => name));
  expect(parts.filter(({ results }) => results.quick)).toEqual([]);
  // Not toEqual: of a report that differs, jest would print all of both.
  expect(readFileSync(`${docs}benchmarks.md`, 'utf8') === markdownReport(parts)).toBe(true);
  const figures = new Map(parts.flatMap((part) => [...part.figures]));
  for (const [name, svg] of figures) {
    expect({ name, isCurrent: readFileSync(`${docs}benchmarks/${name}.svg`, 'utf8') === svg }).toEqual({
      name,
      isCurrent: true,
    });
  }
  const others = readdirSync(`${docs}benchmarks`).filter((file) => !figures.has(file.replace(/\.svg$/, '')));
  expect(others.sort()).toEqual(measurements.map(({ name }) => `${name}.json`).sort());
});

test('every figure and every link of the report leads to a file', () => {
  const report = readFileSync(`${docs}benchmarks.md`, 'utf8');

  const targets = [...report.matchAll(/\]\(([^)#]+)[^)]*\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !target.includes('://'));

  expect(targets.length).toBeGreaterThan(10);
  expect(targets.filter((target) => !existsSync(`${docs}${target}`))).toEqual([]);
});
