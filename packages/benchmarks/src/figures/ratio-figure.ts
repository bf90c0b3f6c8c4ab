import * as Plot from '@observablehq/plot';
import type { Figure } from '../measurement.js';
import { contestantAxis } from './contestant-axis.js';
import { groupFacets } from './group-facets.js';
import { RULE_COLOUR, seriesColours } from './palette.js';
import { widest } from './typography.js';

/** A contestant's quartiles, as multiples of what it is compared with. */
export interface RatioRow {
  /** What is measured apart from the rest, such as `16 in flight`; rows of one group stand together. */
  readonly group: string;
  readonly contestant: string;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

export interface RatioOptions {
  /** What 1 is, and of what: `calls per second, as multiples of the deadline by hand`. */
  readonly label: string;
  readonly title?: string;
  readonly subtitle?: string;
  /** Of the medians at the right; two digits after the point unless told. */
  readonly format?: (median: number) => string;
}

/** Medians as dots with quartiles as whiskers, a rule at 1, one facet per group; all in the order of the rows. */
export function ratioFigure(
  name: string,
  alt: string,
  rows: readonly RatioRow[],
  { label, title, subtitle, format = (median) => median.toFixed(2) }: RatioOptions,
): Figure {
  const groups = [...new Set(rows.map(({ group }) => group))];
  const colours = seriesColours(rows.map(({ contestant }) => contestant));
  const axis = contestantAxis(colours.domain, 0.5);
  const facets = groupFacets(groups, colours.domain.length * axis.rowHeight);
  const place = { fy: 'group', y: 'contestant' } as const;
  return {
    name,
    alt,
    plot: {
      title,
      subtitle,
      height: facets.height,
      marginTop: facets.marginTop,
      marginBottom: facets.marginBottom,
      marginLeft: axis.marginLeft,
      marginRight: widest(rows.map(({ median }) => format(median))) + 24,
      x: { label, labelAnchor: 'center', labelArrow: 'none', domain: around(rows), nice: true, grid: true },
      y: axis.y,
      fy: facets.fy,
      color: { domain: colours.domain, range: colours.range },
      marks: [
        axis.names,
        facets.titles,
        Plot.ruleX([1], { stroke: RULE_COLOUR, strokeWidth: 1.5 }),
        Plot.ruleY(rows, { ...place, x1: 'lower', x2: 'upper', stroke: 'contestant', strokeWidth: 3 }),
        Plot.dot(rows, { ...place, x: 'median', fill: 'contestant', r: 5.5, stroke: 'white' }),
        Plot.text(rows, {
          ...place,
          text: ({ median }: RatioRow) => format(median),
          frameAnchor: 'right',
          textAnchor: 'start',
          dx: 10,
          fontVariant: 'tabular-nums',
        }),
      ],
    },
  };
}

/** All whiskers and 1, with a little room at both ends. */
function around(rows: readonly RatioRow[]): [number, number] {
  const low = Math.min(1, ...rows.map(({ lower }) => lower));
  const high = Math.max(1, ...rows.map(({ upper }) => upper));
  const room = Math.max((high - low) * 0.04, 0.005);
  return [Math.max(0, low - room), high + room];
}
