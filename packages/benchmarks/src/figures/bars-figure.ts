import * as Plot from '@observablehq/plot';
import type { Figure } from '../measurement.js';
import { contestantAxis } from './contestant-axis.js';
import { groupFacets } from './group-facets.js';
import { logAxis, plainTick } from './log-axis.js';
import { RULE_COLOUR, seriesColours } from './palette.js';
import { widest } from './typography.js';

/** One value: a delay, a size, a time. */
export interface Bar {
  readonly contestant: string;
  readonly value: number;
  /** Quartiles, drawn as a whisker. */
  readonly lower?: number;
  readonly upper?: number;
  /** Bars of one group stand together under its name. */
  readonly group?: string;
}

export interface BarsOptions {
  /** What is measured, and in which unit: `delay of the child's end, ms`. */
  readonly label: string;
  readonly title?: string;
  readonly subtitle?: string;
  /** Of the values at the bars' ends; three significant digits unless told. */
  readonly format?: (value: number) => string;
  /** Values over several powers of ten, all above 0: dots then, since a bar's length would mean nothing. */
  readonly logarithmic?: boolean;
  /** A line over all bars, such as a limit. */
  readonly rule?: number;
}

/** Horizontal bars with their values, in the order given. */
export function barsFigure(
  name: string,
  alt: string,
  bars: readonly Bar[],
  { label, title, subtitle, format = threeDigits, logarithmic = false, rule }: BarsOptions,
): Figure {
  const rows = bars.map((bar) => ({ ...bar, group: bar.group ?? '', end: bar.upper ?? bar.value }));
  const groups = [...new Set(rows.map(({ group }) => group))];
  const colours = seriesColours(rows.map(({ contestant }) => contestant));
  const contestants = contestantAxis(colours.domain, logarithmic ? 0.5 : 0.2);
  const facets = groupFacets(groups, colours.domain.length * contestants.rowHeight);
  const place = { fy: 'group', y: 'contestant' } as const;
  const whiskers = rows.filter(({ lower, upper }) => lower !== undefined && upper !== undefined);
  const axis = { label, labelAnchor: 'center', labelArrow: 'none' } as const;
  const log = logarithmic ? logAxis(rows.flatMap(({ value, lower = value, end }) => [lower, value, end])) : undefined;
  return {
    name,
    alt,
    plot: {
      title,
      subtitle,
      height: facets.height,
      marginTop: facets.marginTop,
      marginBottom: facets.marginBottom,
      marginLeft: contestants.marginLeft,
      marginRight: widest(rows.map(({ value }) => format(value))) + 24,
      x: { ...axis, ...(log?.scale ?? { grid: true, nice: true, zero: true }) },
      y: contestants.y,
      fy: facets.fy,
      color: { domain: colours.domain, range: colours.range },
      marks: [
        contestants.names,
        facets.titles,
        ...(log === undefined
          ? []
          : [Plot.gridX(log.ticks), Plot.axisX(log.ticks, { ...axis, text: plainTick, facetAnchor: 'bottom' })]),
        logarithmic
          ? Plot.dot(rows, { ...place, x: 'value', fill: 'contestant', r: 5.5 })
          : Plot.barX(rows, { ...place, x: 'value', fill: 'contestant' }),
        Plot.ruleY(whiskers, { ...place, x1: 'lower', x2: 'upper', stroke: '#111827', strokeWidth: 1.5 }),
        ...(rule === undefined ? [] : [Plot.ruleX([rule], { stroke: RULE_COLOUR, strokeDasharray: '4 3' })]),
        Plot.text(rows, {
          ...place,
          x: 'end',
          text: ({ value }: Bar) => format(value),
          textAnchor: 'start',
          dx: logarithmic ? 11 : 7,
          fontVariant: 'tabular-nums',
          stroke: 'white',
          strokeWidth: 4,
          fill: 'currentColor',
        }),
      ],
    },
  };
}

function threeDigits(value: number): string {
  return value >= 100
    ? value.toLocaleString('en-US', { maximumFractionDigits: 0 })
    : String(Number(value.toPrecision(3)));
}
