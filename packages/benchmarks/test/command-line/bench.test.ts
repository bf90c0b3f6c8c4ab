import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import colours from 'picocolors';
import { bench } from '../../dist/command-line/bench.js';
import type { Measurement } from '../../dist/measurement.js';
import { kept } from '../../dist/report/raw-results.js';
import { madeUpMeasurement } from '../made-up-measurement.js';

let folder: string;
let written: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grpc-di-bench-'));
  written = '';
});

afterEach(() => rmSync(folder, { recursive: true }));

function run(measurements: Measurement[], selected = measurements, columns?: number): Promise<number> {
  const output = {
    write: (text: string) => {
      written += text;
    },
    columns,
    colours: colours.createColors(false),
  };
  return bench({ measurements, selected, folder, quick: false, nodes: [], output });
}

const fast = madeUpMeasurement('fast', { 'grpc-di': 0.25, 'nice-grpc': 12.5 });
const slow = madeUpMeasurement('slow', { 'grpc-di': 1.5 });
const broken: Measurement = {
  ...fast,
  name: 'broken',
  run: () => Promise.reject(new Error('the server is gone')),
};

describe('a run', () => {
  test('keeps raw numbers, and writes the report with its figures', async () => {
    expect(await run([fast, slow])).toBe(0);

    expect(readdirSync(folder).sort()).toEqual(['benchmarks', 'benchmarks.md']);
    expect(readdirSync(join(folder, 'benchmarks')).sort()).toEqual(['fast.json', 'fast.svg', 'slow.json', 'slow.svg']);
    expect(kept(folder, 'fast')).toMatchObject({
      name: 'fast',
      quick: false,
      node: process.version,
      measuredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      cpu: { model: expect.any(String), count: expect.any(Number) },
      memory: expect.any(Number),
      versions: { '@grpc/grpc-js': expect.stringMatching(/^1\./), 'nice-grpc': expect.any(String) },
      raw: { 'grpc-di': 0.25, 'nice-grpc': 12.5 },
    });
  });

  test('shows tables with numbers to the right, and which targets are met', async () => {
    await run([fast, slow]);

    expect(written).toContain('│ grpc-di    │      0.25 │');
    expect(written).toContain('│ nice-grpc  │     12.50 │');
    expect(written).toMatch(/^met {5}fast below 1 ms: 0.25 ms$/m);
    expect(written).toMatch(/^missed {2}slow below 1 ms: 1.5 ms$/m);
  });

  test('tells each quarter where lines cannot be written over', async () => {
    await run([fast, slow]);

    expect(written).toMatch(/^\[1\/2\] {2}fast\n\[1\/2\] {2}fast {2}50 % {2}half of it {2}0:0\d$/m);
    expect(written).toMatch(/^\[2\/2\] {2}slow$/m);
  });

  test('keeps to one line, as wide as the terminal, until there is something to show', async () => {
    await run([fast], [fast], 20);

    const lines = written.split('\r\u001b[2K').slice(1, -1);
    expect(lines.length).toBeGreaterThan(0);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20);
    expect(lines.join('')).not.toContain('\n');
  });

  test('of some measurements keeps what was measured of the others', async () => {
    await run([fast, slow]);
    const before = readFileSync(join(folder, 'benchmarks/fast.json'), 'utf8');
    const slower = madeUpMeasurement('slow', { 'grpc-di': 7.5 });

    await run([fast, slower], [slower]);

    expect(readFileSync(join(folder, 'benchmarks/fast.json'), 'utf8')).toBe(before);
    expect(kept(folder, 'slow')!.raw).toEqual({ 'grpc-di': 7.5 });
    const report = readFileSync(join(folder, 'benchmarks.md'), 'utf8');
    expect(report).toMatch(/\| fast below 1 ms +\| +0\.25 ms/);
    expect(report).toMatch(/\| slow below 1 ms +\| +7\.5 ms/);
  });
});

describe('a measurement that throws', () => {
  test('is told, and the others go on', async () => {
    expect(await run([broken, slow])).toBe(1);

    expect(written).toMatch(/^broken failed: Error: the server is gone$/m);
    expect(written).toMatch(/^Failed: broken\./m);
    expect(kept(folder, 'slow')!.raw).toEqual({ 'grpc-di': 1.5 });
  });

  test('leaves what was measured of it before', async () => {
    await run([{ ...fast, name: 'broken' }]);

    await run([broken]);

    expect(kept(folder, 'broken')!.raw).toEqual({ 'grpc-di': 0.25, 'nice-grpc': 12.5 });
    expect(readFileSync(join(folder, 'benchmarks.md'), 'utf8')).toContain('12.50');
  });

  test('is one with numbers that JSON does not have', async () => {
    expect(await run([madeUpMeasurement('odd', { 'grpc-di': 0 / 0 })])).toBe(1);

    expect(written).toContain('The raw numbers have NaN as "grpc-di"');
  });

  test('only when it is reported does not take the others out of the report', async () => {
    const unreadable: Measurement = {
      ...slow,
      report: () => {
        throw new Error('numbers of another form');
      },
    };

    expect(await run([fast, unreadable])).toBe(1);

    expect(written).toMatch(/Not in the report: slow: Error: numbers of another form\. .*--only slow/);
    expect(kept(folder, 'slow')!.raw).toEqual({ 'grpc-di': 1.5 });
    expect(readFileSync(join(folder, 'benchmarks.md'), 'utf8')).toContain('## Delays of fast');
  });
});
