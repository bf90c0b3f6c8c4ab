import { randomExponential, randomLcg } from 'd3-random';

/** A request, and when it comes: whatever became of those before it. */
export interface Arrival {
  /** Since the load began. */
  readonly atMs: number;
  readonly workMs: number;
}

export interface Traffic {
  /** In [0, 1): the same arrivals for the same seed. */
  readonly seed: number;
  readonly perSecond: number;
  readonly forMs: number;
  readonly meanWorkMs: number;
}

/** An open loop: a Poisson process of requests, their work exponentially distributed, in the order of time. */
export function arrivals({ seed, perSecond, forMs, meanWorkMs }: Traffic): Arrival[] {
  const random = randomLcg(seed);
  const gapMs = randomExponential.source(random)(perSecond / 1_000);
  const lengthMs = randomExponential.source(random)(1 / meanWorkMs);
  const list: Arrival[] = [];
  for (let atMs = gapMs(); atMs < forMs; atMs += gapMs()) {
    // Timers count whole milliseconds.
    list.push({ atMs, workMs: Math.round(lengthMs()) });
  }
  return list;
}
