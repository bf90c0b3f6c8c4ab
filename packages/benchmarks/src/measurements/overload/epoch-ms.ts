import { performance } from 'node:perf_hooks';

/** The time that all processes of the machine share, finer than `Date.now()`. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
