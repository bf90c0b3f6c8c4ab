import type { Arrival } from '../overload/arrivals.js';
import { arrivalsOf, type Phases, type Point } from '../overload/plan.js';
import type { Setting } from '../overload/setting.js';
import { type SimulationOutcome, simulate } from './simulate.js';

/** The three services that are measured under overload, with the very same requests. */
export function simulateChain(setting: Setting, point: Point, phases: Phases): SimulationOutcome {
  const deep = 2;
  const leastMs = point.service === 'with propagation and a look at the time' ? setting.leastMs : 0;
  return simulate<Arrival & { entry: number }>({
    services: [
      { workers: Infinity, calls: [1], leastMs: 0 },
      { workers: Infinity, calls: [deep], leastMs: 0 },
      { workers: setting.workers, calls: [], leastMs },
    ],
    arrivals: arrivalsOf(point, phases).map((arrival) => ({ ...arrival, entry: 0 })),
    workMs: ({ workMs }, service) => (service === deep ? workMs : 0),
    deadlineMs: setting.deadlineMs,
    attempts: setting.attempts,
    propagation: point.service !== 'without propagation' && { marginMs: setting.marginMs },
    window: { fromMs: phases.warmUpMs, toMs: phases.warmUpMs + phases.measuredMs },
  });
}
