import { type Arrival, arrivals } from './arrivals.js';
import { capacityPerSecond, type Service, services, setting } from './setting.js';

/** One load on one kind of service. */
export interface Point {
  readonly service: Service;
  /** In multiples of the capacity. */
  readonly load: number;
}

/** When the load's parts end, in milliseconds since it began. */
export interface Phases {
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** The load goes on, for what began in the measured time to end under it. */
  readonly afterwardsMs: number;
}

export interface Plan extends Phases {
  readonly points: readonly Point[];
}

export function plan(quick: boolean): Plan {
  const loads = quick ? [0.75, 4] : [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
  return {
    warmUpMs: quick ? 300 : 2_000,
    measuredMs: quick ? 500 : 8_000,
    afterwardsMs: setting.deadlineMs,
    points: loads.flatMap((load) => services.map((service) => ({ service, load }))),
  };
}

/** The same for every kind of service. */
export function arrivalsOf({ load }: Point, { warmUpMs, measuredMs, afterwardsMs }: Phases): Arrival[] {
  return arrivals({
    seed: load / 7,
    perSecond: load * capacityPerSecond(setting),
    forMs: warmUpMs + measuredMs + afterwardsMs,
    meanWorkMs: setting.meanWorkMs,
  });
}
