/** Three services in a row, the last with a fixed capacity, and clients that give up and try again. */
export interface Setting {
  /** Of the last service: how many jobs it does at a time. */
  readonly workers: number;
  /** How long a job takes a worker, on average. */
  readonly meanWorkMs: number;
  /** Of each attempt, as the client sets it. */
  readonly deadlineMs: number;
  /** With propagation: what the first and the second service each keep back of their caller's deadline. */
  readonly marginMs: number;
  /** What the last service wants to have left to begin a job, where it looks at the time. */
  readonly leastMs: number;
  /** How often a client tries, the first time included; each attempt has a deadline of its own. */
  readonly attempts: number;
}

/**
 * Slow enough that two cores carry four times the capacity, twice that with the retries, through four processes without
 * being busy.
 */
export const setting: Setting = {
  workers: 4,
  meanWorkMs: 80,
  deadlineMs: 500,
  marginMs: 10,
  leastMs: 200,
  attempts: 2,
};

export function capacityPerSecond({ workers, meanWorkMs }: Setting): number {
  return (workers * 1_000) / meanWorkMs;
}

/** What the last service learns of its caller, and makes of it. */
export const services = [
  // No deadline and no cancellation reaches it.
  'without propagation',
  // A job whose call is cancelled leaves the queue, or its worker.
  'with propagation',
  // Besides, a job that has little time left is not begun.
  'with propagation and a look at the time',
] as const;

export type Service = (typeof services)[number];
