import { takeTurns } from '../../harness/turns.js';
import { WorkerProcess } from '../../harness/worker-process.js';
import type { BenchRun, Measurement } from '../../measurement.js';
import type { Cancelled } from './cancelling-client.js';
import type { MassCancelProcess } from './client-process.js';
import { type MassCancelRaw, reportMassCancel } from './report.js';
import { sampleOf } from './sample.js';
import type { HoldingServerProcess } from './server-process.js';
import { type Way, ways } from './ways.js';

/** Very many outstanding calls, all cancelled at once. */
export const massCancel: Measurement<MassCancelRaw> = {
  name: 'mass-cancel',
  title: 'Thousands of outstanding calls cancelled at once',
  run,
  report: reportMassCancel,
};

/** `bare` takes part twice: it is what the others are compared with, and so tells the noise of that. */
const seats: Readonly<Record<string, Way>> = {
  bare: 'bare',
  'bare-again': 'bare',
  'bare-promises': 'bare-promises',
  'context-callbacks': 'context-callbacks',
  'context-promises': 'context-promises',
  parent: 'parent',
};

async function run(bench: BenchRun): Promise<MassCancelRaw> {
  const size = { connections: bench.quick ? 2 : 20, callsPerConnection: 500 };
  const rounds = bench.quick ? 2 : 6;
  const samples: Record<string, Cancelled[]> = {};
  const clients = new Map<string, WorkerProcess<MassCancelProcess>>();
  const server = await WorkerProcess.start<HoldingServerProcess>(new URL('server-process.js', import.meta.url));
  try {
    for (const [seat, way] of Object.entries(seats)) {
      const module = new URL('client-process.js', import.meta.url);
      clients.set(seat, await WorkerProcess.start(module, { args: [way], nodeArgs: ['--expose-gc'] }));
      samples[seat] = [];
    }
    const turns = Object.keys(seats).map((name) => ({ name, everyRounds: 1 }));
    const warmUp = 1;
    let taken = 0;
    await takeTurns(turns, warmUp + rounds, async (seat, round) => {
      bench.progress(taken++, turns.length * (warmUp + rounds), ways[seats[seat]!].title);
      const sample = await sampleOf(clients.get(seat)!, server, size);
      if (round >= warmUp) {
        samples[seat]!.push(sample);
      }
    });
    bench.progress(1, 1, 'done');
  } finally {
    await Promise.all([server, ...clients.values()].map((process) => process.close()));
  }
  const titles = Object.entries(seats).map(([seat, way]) => ({
    name: seat,
    title: seat === way ? ways[way].title : `${ways[way].title}, again`,
  }));
  return { ...size, seats: titles, samples };
}
