import { type FunctionBytes, startAllocationProfile, stopAllocationProfile } from './allocation-profile.js';
import { type FunctionTime, startProfile, stopProfile } from './cpu-profile.js';
import type { CpuMicroseconds } from './worker-process.js';

/** An interface of functions only. */
export type Operations<Offered> = { [Name in keyof Offered]: (...args: never[]) => unknown };

/** What a {@link WorkerProcess} sends. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** What every process can be asked. */
export interface ProcessOperations {
  cpu(): CpuMicroseconds;
  /** Heap in use after a full collection, in bytes; needs `--expose-gc`. */
  heap(): Promise<number>;
  startProfile(): Promise<void>;
  stopProfile(): Promise<FunctionTime[]>;
  startAllocationProfile(): Promise<void>;
  stopAllocationProfile(): Promise<FunctionBytes[]>;
}

/** Answers the process that started this one, until that ends. */
export function serveParent<Offered extends ProcessOperations>(
  operations: Omit<Offered, keyof ProcessOperations>,
): void {
  const offered: Record<string, unknown> = {
    cpu,
    heap,
    startProfile,
    stopProfile,
    startAllocationProfile,
    stopAllocationProfile,
    ...operations,
  };
  process.on('message', ({ id, name, args }: Question) => {
    void answer(offered[name] as Operation, args).then((result) => process.send!({ id, ...result } satisfies Answer));
  });
  process.on('disconnect', () => process.exit());
  process.send!('ready');
}

type Operation = (...args: never[]) => unknown;

async function answer(operation: Operation, args: readonly unknown[]): Promise<Partial<Answer>> {
  try {
    return { value: await operation(...(args as never[])) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function cpu(): CpuMicroseconds {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function heap(): Promise<number> {
  // Twice, with a turn between: finalizers and weak references of the first let go of more.
  for (let i = 0; i < 2; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}
