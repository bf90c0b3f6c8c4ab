import * as Plot from '@observablehq/plot';
import { spread } from './spread.js';
import { FONT_SIZE, textWidth, widest } from './typography.js';

/** Names at the lines' ends, moved apart where they would cover each other; long ones take a second line. */
export function endLabels(points: ReadonlyArray<{ readonly series: string }>): Plot.Markish {
  const ends = [...new Map(points.map((point) => [point.series, point])).values()];
  const sizes = ends.map(({ series }) => (bold(textWidth(series)) > LINE_WIDTH ? 2 : 1) * FONT_SIZE + 3);
  const options: Plot.TextOptions = { x: 'x', y: 'y', text: 'series', fill: 'series', ...STYLE };
  return Plot.text(
    ends,
    Plot.initializer(options, (data, facets, channels, scales) => {
      const wanted = [...(channels.y!.value as Iterable<number>)].map((value): number => scales.y!(value));
      const labels = wanted.map((each, i) => ({ wanted: each, size: sizes[i]! }));
      const [bottom, top] = scales.scales.y!.range as [number, number];
      return { data, facets, channels: { y: { value: spread(labels, top - FONT_SIZE, bottom + FONT_SIZE) } } };
    }),
  );
}

/** The room that they need at the right of the plot. */
export function endLabelsWidth(series: readonly string[]): number {
  return Math.min(bold(widest(series)), LINE_WIDTH) + 26;
}

const LINE_WIDTH = 210;
const STYLE = { textAnchor: 'start', dx: 10, fontWeight: 600, lineWidth: LINE_WIDTH / bold(FONT_SIZE) } as const;

function bold(width: number): number {
  return width * 1.1;
}
