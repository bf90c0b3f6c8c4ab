import { type ContestantName, contestants, loadContestant } from '../../contestants/contestants.js';
import { takeTurns } from '../../harness/turns.js';
import { WorkerProcess } from '../../harness/worker-process.js';
import type { BenchRun, Measurement } from '../../measurement.js';
import type { ChainProcess } from './process.js';
import { type ChainRaw, reportChain, type Seat } from './report.js';
import type { LeafEnd } from './service-chain.js';

/** How fast a client's cancel gets to the end of a chain of services, and how close to its deadline a call ends there. */
export const chain: Measurement<ChainRaw> = {
  name: 'chain',
  title: 'Cancellation and deadline at the end of a chain',
  run,
  report: reportChain,
};

const hops: readonly number[] = [1, 3, 10];
const quickRun: readonly ContestantName[] = ['grpc-js-parent', 'grpc-di'];

async function run(bench: BenchRun): Promise<ChainRaw> {
  const names = bench.quick ? quickRun : (Object.keys(contestants) as ContestantName[]);
  const { seats, leftOut } = await seatsOf(names);
  const plan = bench.quick ? { rounds: 8, cancels: 3, deadlines: 1 } : { rounds: 50, cancels: 6, deadlines: 4 };
  const cancels: Record<string, (readonly (number | null)[])[][]> = {};
  const deadlines: Record<string, LeafEnd[]> = {};
  const processes = new Map<string, WorkerProcess<ChainProcess>>();
  try {
    for (const { name, contestant } of seats) {
      const args = [contestant, String(Math.max(...hops))];
      processes.set(name, await WorkerProcess.start<ChainProcess>(new URL('process.js', import.meta.url), { args }));
      cancels[name] = hops.map(() => []);
      deadlines[name] = [];
    }

    const cancelling = seats.filter(({ cancellation }) => cancellation).map(({ name }) => ({ name, everyRounds: 1 }));
    // A connection that has 1,000 calls reset in a burst is closed by Node's HTTP/2 server; all hops share the leaf's.
    const warmUp = 2;
    await takeTurns(cancelling, warmUp + plan.rounds, async (name, round) => {
      bench.progress(round, 2 * (warmUp + plan.rounds), 'cancelling');
      for (const [at, count] of hops.entries()) {
        const measured = await processes.get(name)!.ask('cancels', count, plan.cancels);
        if (round >= warmUp) {
          cancels[name]![at]!.push(measured);
        }
      }
    });

    const ending = seats.map(({ name }) => ({ name, everyRounds: 2 }));
    const ofTurn = Array.from({ length: plan.deadlines }, () => hops).flat();
    await takeTurns(ending, warmUp + plan.rounds, async (name, round) => {
      bench.progress(warmUp + plan.rounds + round, 2 * (warmUp + plan.rounds), 'letting deadlines pass');
      const ends = await processes.get(name)!.ask('deadlines', ofTurn, { timeoutMs, apartMs: 10 });
      if (round >= warmUp) {
        deadlines[name]!.push(...ends);
      }
    });
    bench.progress(1, 1, 'done');
  } finally {
    await Promise.all([...processes.values()].map((process) => process.close()));
  }
  return { hops, timeoutMs, seats, leftOut, cancels, deadlines };
}

const timeoutMs = 100;

/** `parent` takes part twice: it is what the others are compared with, and so tells the noise of that. */
async function seatsOf(names: readonly ContestantName[]): Promise<{ seats: Seat[]; leftOut: string[] }> {
  const seats: Seat[] = [];
  const leftOut: string[] = [];
  for (const contestant of names) {
    const { name: title, passesOn } = await loadContestant(contestant);
    if (passesOn.cancellation || passesOn.deadline) {
      seats.push({ name: contestant, contestant, title, cancellation: passesOn.cancellation });
    }
    if (!passesOn.cancellation) {
      leftOut.push(title);
    }
    if (contestant === 'grpc-js-parent') {
      seats.push({
        name: `${contestant}-again`,
        contestant,
        title: `${title}, again`,
        cancellation: passesOn.cancellation,
      });
    }
  }
  return { seats, leftOut };
}
