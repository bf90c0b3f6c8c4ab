import * as Plot from '@observablehq/plot';

export interface LogAxis {
  /** For Plot's `x` or `y` option. */
  readonly scale: Plot.ScaleOptions;
  readonly ticks: readonly number[];
}

/** A logarithmic axis around values above 0, with a number at each tick. */
export function logAxis(values: Iterable<number>, ticks?: readonly number[]): LogAxis {
  const all = [...values];
  const low = Math.min(...all) / MARGIN;
  const high = Math.max(...all) * MARGIN;
  const shown = ticks ?? between(low, high);
  return {
    // Plot's own axis would leave out the numbers of most ticks, even of those that were asked for.
    scale: { type: 'log', domain: [Math.min(low, ...shown), Math.max(high, ...shown)], axis: null },
    ticks: shown,
  };
}

/** How Plot's axis marks write a tick's number: as a table beside the figure would. */
export function plainTick(tick: number): string {
  return tick.toLocaleString('en-US', { maximumSignificantDigits: 6 });
}

const MARGIN = 1.1;

function between(low: number, high: number): number[] {
  const steps = Math.log10(high / low) < 2.5 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    // Text knows powers of ten exactly; 10 ** -5 is not 0.00001.
    ticks.push(...steps.map((step) => Number(`${step}e${power}`)));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}
