import { type Quartiles, quartiles } from '../harness/quartiles.js';
import type { SeatResults, SliceResults } from './measure-slices.js';
import type { Seat } from './seats.js';

export type Measured = 'callsPerSecond' | 'cpu' | 'frontendCpu';

export function seatOf(results: SliceResults, seat: Seat): SeatResults {
  return results.seats.find(({ name }) => name === seat)!;
}

/** A seat's slices as multiples of another's of the same rounds. */
export function ratios(results: SliceResults, measured: Measured, seat: Seat, to: Seat): Quartiles {
  const base = seatOf(results, to)[measured];
  return quartiles(
    seatOf(results, seat)[measured].flatMap((value, round) => {
      const of = base[round];
      return value === null || of === null || of === undefined ? [] : [value / of];
    }),
  );
}

export function typical(results: SliceResults, measured: Measured, seat: Seat): Quartiles {
  return quartiles(seatOf(results, seat)[measured].filter((value) => value !== null));
}

/** `0.98 (0.91 to 1.06)`: the median and the quartiles. */
export function inWords({ lower, median, upper }: Quartiles): string {
  return `${median.toFixed(3)} (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
}
