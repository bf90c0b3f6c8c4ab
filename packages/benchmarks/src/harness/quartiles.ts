/** The middle of a list of numbers, and how far they spread. */
export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  /** Of how many numbers. */
  readonly count: number;
}

/** @throws RangeError for an empty list. */
export function quartiles(numbers: readonly number[]): Quartiles {
  if (numbers.length === 0) {
    throw new RangeError('quartiles() needs at least one number');
  }
  const sorted = [...numbers].sort((a, b) => a - b);
  return {
    lower: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    upper: quantile(sorted, 0.75),
    count: sorted.length,
  };
}

/** The quantile of numbers that are sorted already, between two of them where it falls there. */
export function quantile(sorted: readonly number[], fraction: number): number {
  const at = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}
