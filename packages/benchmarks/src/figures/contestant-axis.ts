import * as Plot from '@observablehq/plot';
import { FONT_SIZE, textWidth, widest } from './typography.js';

/** One row per contestant, with its name at the left; long names take a second line. */
export interface ContestantAxis {
  readonly marginLeft: number;
  readonly rowHeight: number;
  readonly y: Plot.ScaleOptions;
  readonly names: Plot.Markish;
}

export function contestantAxis(contestants: readonly string[], padding: number): ContestantAxis {
  const wrapped = contestants.some((name) => textWidth(name) > LINE_WIDTH);
  return {
    marginLeft: Math.min(widest(contestants), LINE_WIDTH) + 24,
    rowHeight: wrapped ? 31 : 25,
    y: { domain: [...contestants], axis: null, label: null, padding },
    names: Plot.axisY({ label: null, tickSize: 0, lineWidth: LINE_WIDTH / FONT_SIZE }),
  };
}

/** In pixels. */
const LINE_WIDTH = 230;
