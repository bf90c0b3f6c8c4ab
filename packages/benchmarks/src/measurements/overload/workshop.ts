import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { requireCallContext } from '@grpc-di/call-context';
import type { GrpcService } from '@grpc-di/server';
import { Container, inject, injectable } from 'inversify';
import PQueue from 'p-queue';
import type { Done, Job, JobsServer } from '../../generated/overload/v1/overload.js';
import { epochMs } from './epoch-ms.js';
import { type RunningService, serveJobs } from './serve-jobs.js';

/** The last service in the row: a fixed number of workers, and a queue, first come, first served. */
export interface Workshop extends RunningService {
  /** Jobs that no worker has begun. */
  waiting(): number;
  /** Resolves when no job waits or is worked on. */
  idle(): Promise<void>;
  /** Every piece of a worker's time so far, in the order of beginning. */
  readonly shifts: readonly Shift[];
}

/** The time that a worker gave to an attempt. In epoch milliseconds. */
export interface Shift {
  readonly attempt: number;
  readonly workMs: number;
  readonly begunMs: number;
  /** `undefined` while it works. */
  endedMs?: number;
  /** Whether the job was done, rather than left. */
  done: boolean;
}

export interface WorkshopOptions {
  readonly workers: number;
  /** A job is only begun with so much left until its call's deadline, in milliseconds; 0 for any job. */
  readonly leastMs: number;
}

export async function startWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const bench = new Workbench(options);
  const container = new Container();
  container.bind(Workbench).toConstantValue(bench);
  const { address, server } = await serveJobs(container, Worker);
  return {
    address,
    shifts: bench.shifts,
    waiting: () => bench.queue.size,
    idle: () => bench.queue.onIdle(),
    async close() {
      // Breaks all calls, which cancels them here: so the queue runs empty.
      server.forceShutdown();
      await bench.queue.onIdle();
    },
  };
}

class Workbench {
  readonly shifts: Shift[] = [];
  readonly queue: PQueue;
  readonly leastMs: number;

  constructor({ workers, leastMs }: WorkshopOptions) {
    this.queue = new PQueue({ concurrency: workers });
    this.leastMs = leastMs;
  }
}

@injectable()
class Worker implements GrpcService<JobsServer> {
  constructor(@inject(Workbench) private readonly bench: Workbench) {}

  async work(job: Job): Promise<Done> {
    const call = requireCallContext();
    const { signal } = call;
    const begin = async () => {
      if (call.timeRemaining() < this.bench.leastMs) {
        const details = 'Too late to begin';
        throw Object.assign(new Error(details), { code: status.DEADLINE_EXCEEDED, details });
      }
      await this.spend(job, signal);
    };
    await this.bench.queue.add(begin, { signal });
    return {};
  }

  private async spend({ attempt, workMs }: Job, signal: AbortSignal): Promise<void> {
    const shift: Shift = { attempt, workMs, begunMs: epochMs(), done: false };
    this.bench.shifts.push(shift);
    try {
      await sleep(workMs, undefined, { signal });
      shift.done = true;
    } finally {
      shift.endedMs = epochMs();
    }
  }
}
