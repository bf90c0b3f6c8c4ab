import { isOurs, ownerOf, placeOf } from '../../harness/code-owner.js';
import type { WorkerProcess } from '../../harness/worker-process.js';
import type { Table } from '../../measurement.js';
import type { StubProcess } from './process.js';

/** One of the project's functions, without what it calls. */
export interface OwnFunction {
  readonly function: string;
  readonly file: string;
  readonly nanoseconds: number;
  readonly bytes: number;
}

/** What the project's own functions take of a call, from V8's profiles of some batches more. */
export async function ownFunctions(
  process: WorkerProcess<StubProcess>,
  batches: number,
  calls: number,
): Promise<OwnFunction[]> {
  await process.ask('startProfile');
  await take(process, batches, calls);
  const times = await process.ask('stopProfile');
  await process.ask('startAllocationProfile');
  await take(process, batches, calls);
  const allocations = await process.ask('stopAllocationProfile');

  const found = new Map<string, { -readonly [Key in keyof OwnFunction]: OwnFunction[Key] }>();
  const at = (of: (typeof times)[number] | (typeof allocations)[number]) => {
    const file = placeOf(of);
    const key = `${of.function} ${file}`;
    const own = found.get(key) ?? { function: of.function || '(anonymous)', file, nanoseconds: 0, bytes: 0 };
    found.set(key, own);
    return own;
  };
  for (const time of times.filter((one) => isOurs(ownerOf(one)))) {
    at(time).nanoseconds += Math.round((time.microseconds * 1000) / (batches * calls));
  }
  for (const allocation of allocations.filter((one) => isOurs(ownerOf(one)))) {
    at(allocation).bytes += Math.round(allocation.bytes / (batches * calls));
  }
  return [...found.values()].sort((a, b) => b.nanoseconds + b.bytes - (a.nanoseconds + a.bytes));
}

export function ownFunctionsTable(functions: readonly OwnFunction[]): Table {
  const total = (what: 'nanoseconds' | 'bytes') => functions.reduce((sum, one) => sum + one[what], 0).toFixed(0);
  return {
    columns: ['function', 'file', 'ns per call', 'bytes per call'],
    rows: [
      ...functions
        .slice(0, 15)
        .map((one) => [one.function, one.file, one.nanoseconds.toFixed(0), one.bytes.toFixed(0)]),
      [`all ${functions.length}`, '', total('nanoseconds'), total('bytes')],
    ],
  };
}

async function take(process: WorkerProcess<StubProcess>, batches: number, calls: number): Promise<void> {
  for (let i = 0; i < batches; i++) {
    await process.ask('batch', calls);
  }
}
