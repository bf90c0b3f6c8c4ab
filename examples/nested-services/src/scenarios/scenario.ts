import type { Shop } from '../shop/shop.js';
import type { Trace } from '../tracing/trace.js';

export interface Scenario {
  readonly name: string;
  /** For --help and as the heading. */
  readonly about: string;
  /** What the waterfalls show, where there is more than one. */
  readonly titles?: readonly string[];
  /** Makes the client's calls; returns a trace for each waterfall. */
  play(open: (options: { propagate: boolean }) => Promise<Shop>): Promise<Trace[]>;
  /** What was seen, in one sentence, with what was measured. */
  reading(...traces: Trace[]): string;
  /** What must hold if the scenario is to deserve its name. */
  expectations(...traces: Trace[]): Record<string, boolean>;
}

/**
 * How long a call may still work after its client has left, in ms. A few are usual; a loaded machine wakes processes
 * late. Without propagation the work would go on for a second or more.
 */
export const PROMPT_MS = 600;
