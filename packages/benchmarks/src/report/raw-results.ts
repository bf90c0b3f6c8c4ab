import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import stringify from 'json-stringify-pretty-compact';
import type { Surroundings } from './surroundings.js';

/** What is kept of a measurement, in `benchmarks/<name>.json` of a folder. */
export interface RawResults extends Surroundings {
  readonly name: string;
  /** In ISO 8601. */
  readonly measuredAt: string;
  readonly quick: boolean;
  readonly raw: unknown;
}

/** @throws TypeError for a number that JSON does not have, NaN or Infinity: it would come back as null. */
export function saveRawResults(folder: string, results: RawResults): void {
  const text = stringify(results, { maxLength: 200, replacer: finite });
  mkdirSync(join(folder, 'benchmarks'), { recursive: true });
  writeFileSync(fileOf(folder, results.name), `${text}\n`);
}

/** What was measured last, if it ever was. */
export function kept(folder: string, name: string): RawResults | undefined {
  const file = fileOf(folder, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RawResults) : undefined;
}

function fileOf(folder: string, name: string): string {
  return join(folder, 'benchmarks', `${name}.json`);
}

function finite(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`The raw numbers have ${value} as "${key}"`);
  }
  return value;
}
