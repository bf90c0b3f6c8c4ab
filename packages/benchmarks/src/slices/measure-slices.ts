import { Services } from '../harness/services.js';
import { takeTurns } from '../harness/turns.js';
import type { Latencies, Load } from '../processes/load-client.js';
import { contestantOf, type Seat, titleOf, turnsOf } from './seats.js';

/** What is to be measured, one way of calling at a time. */
export interface SlicePlan {
  readonly seats: readonly Seat[];
  readonly loads: readonly (Omit<Load, 'port' | 'ms'> & { readonly rounds: number })[];
  readonly sliceMs: number;
  /**
   * How long each seat serves each rpc before anything counts. V8 takes some 10 s of load to compile what a call goes
   * through, and the longer the more that is: too little of it favours whoever does less.
   */
  readonly warmUpMs: number;
  /** The Node that all processes run on; the running one by default. */
  readonly node?: string;
}

/** One way of calling: a number per round and seat, `null` in rounds that the seat sat out. */
export interface SliceResults {
  readonly load: Omit<Load, 'port' | 'ms'>;
  readonly seats: readonly SeatResults[];
}

export interface SeatResults {
  readonly name: Seat;
  readonly title: string;
  readonly callsPerSecond: readonly (number | null)[];
  /** Of the three processes that a call goes through, in microseconds per call. */
  readonly cpu: readonly (number | null)[];
  readonly frontendCpu: readonly (number | null)[];
  /** Over all slices. */
  readonly latencies: Latencies;
}

/** @param told how many of all slices are done. */
export async function measureSlices(
  { seats, loads, sliceMs, warmUpMs, node }: SlicePlan,
  told: (done: number, total: number, doing: string) => void,
): Promise<SliceResults[]> {
  const warmUpTurns = Math.ceil(warmUpMs / WARM_UP_TURN_MS);
  const services = await Services.start(
    Object.fromEntries(seats.map((seat) => [seat, contestantOf(seat)])) as Record<
      Seat,
      ReturnType<typeof contestantOf>
    >,
    node,
  );
  try {
    const titles = new Map<Seat, string>();
    for (const seat of seats) {
      titles.set(seat, await titleOf(seat));
    }
    const rpcs = new Set(loads.map(({ rpc }) => rpc));
    const total = loads.reduce((sum, { rounds }) => sum + rounds, rpcs.size * warmUpTurns);
    const results: SliceResults[] = [];
    let done = 0;
    for (const { rounds, ...load } of loads) {
      const doing = `${load.rpc}, ${load.inFlight} in flight`;
      const measured = new Map<Seat, Lists>(
        seats.map((seat) => [seat, { callsPerSecond: [], cpu: [], frontendCpu: [] }]),
      );
      const turns = turnsOf(seats);
      let lastRound = -1;
      const take = async (seat: Seat, round: number, keep: boolean): Promise<void> => {
        if (round !== lastRound) {
          lastRound = round;
          told(done++, total, doing);
        }
        const numbers = await slice(services, seat, { ...load, ms: keep ? sliceMs : WARM_UP_TURN_MS });
        if (keep) {
          const lists = measured.get(seat)!;
          for (const key of keys) {
            while (lists[key].length < round) {
              lists[key].push(null);
            }
            lists[key].push(numbers[key]);
          }
        }
      };
      if (rpcs.delete(load.rpc)) {
        await takeTurns(
          seats.map((name) => ({ name, everyRounds: 1 })),
          warmUpTurns,
          (seat, round) => take(seat, round, false),
        );
        await services.caller.ask('reset');
        lastRound = -1;
      }
      await takeTurns(turns, rounds, (seat, round) => take(seat, round, true));
      const seatResults = seats.map(async (name) => ({
        name,
        title: titles.get(name)!,
        ...measured.get(name)!,
        latencies: await services.caller.ask('latencies', { ...load, port: services.frontend(name).port }),
      }));
      results.push({ load, seats: await Promise.all(seatResults) });
    }
    return results;
  } finally {
    await services.close();
  }
}

const WARM_UP_TURN_MS = 500;

const keys = ['callsPerSecond', 'cpu', 'frontendCpu'] as const;
type Lists = Record<(typeof keys)[number], (number | null)[]>;

async function slice(
  services: Services<Seat>,
  seat: Seat,
  load: Omit<Load, 'port'>,
): Promise<Record<(typeof keys)[number], number>> {
  const before = await services.cpu(seat);
  const { calls, ms } = await services.caller.ask('slice', { ...load, port: services.frontend(seat).port });
  const after = await services.cpu(seat);
  return {
    callsPerSecond: Math.round((calls / ms) * 1000),
    cpu: Number(((after.all - before.all) / calls).toFixed(1)),
    frontendCpu: Number(((after.frontend - before.frontend) / calls).toFixed(1)),
  };
}
