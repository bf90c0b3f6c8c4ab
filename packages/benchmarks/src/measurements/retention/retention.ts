import { type ContestantName, contestants, loadContestant } from '../../contestants/contestants.js';
import { processFile, startFrontend } from '../../harness/services.js';
import { WorkerProcess } from '../../harness/worker-process.js';
import type { BenchRun, Measurement } from '../../measurement.js';
import type { UsersProcess } from '../../processes/users.js';
import { type RetentionRaw, reportRetention } from './report.js';
import { retentionOf } from './retention-of.js';

/** Nested calls under one open stream: the heap that they leave behind, and what they do to the stream's end. */
export const retention: Measurement<RetentionRaw> = {
  name: 'retention',
  title: 'Many nested calls under one open stream',
  run,
  report: reportRetention,
};

const callsPerBatch = 10_000;
/** In bytes. A contestant that keeps much would be out of memory before its last call. */
const maxGrowth = 400_000_000;

const quickRun: readonly ContestantName[] = ['grpc-js', 'grpc-js-parent', 'grpc-di'];

async function run(bench: BenchRun): Promise<RetentionRaw> {
  const names = bench.quick ? quickRun : (Object.keys(contestants) as ContestantName[]);
  const users = await WorkerProcess.start<UsersProcess>(processFile('users'));
  try {
    const upstream = `127.0.0.1:${await users.ask('port')}`;
    const measured: RetentionRaw['contestants'][number][] = [];
    for (const name of names) {
      const { name: title } = await loadContestant(name);
      bench.progress(measured.length, names.length, title);
      const frontend = await startFrontend(name, upstream);
      try {
        const plan = {
          warmUpCalls: bench.quick ? 2_000 : 5_000,
          batches: bench.quick ? 1 : 20,
          callsPerBatch,
          maxGrowth,
          shortStreams: bench.quick ? 5 : 20,
          callsPerShortStream: 32,
        };
        measured.push({ name, title, ...(await retentionOf(frontend, plan)) });
      } finally {
        await frontend.close();
      }
    }
    bench.progress(names.length, names.length, 'done');
    return { contestants: measured };
  } finally {
    await users.close();
  }
}
