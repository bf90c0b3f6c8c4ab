import * as Plot from '@observablehq/plot';
import type { Figure } from '../measurement.js';
import { endLabels, endLabelsWidth } from './end-labels.js';
import { logAxis, plainTick } from './log-axis.js';
import { isOwn, RULE_COLOUR, seriesColours } from './palette.js';

export interface LinePoint {
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

export interface LinesOptions {
  /** What the axes show, and in which units. */
  readonly x: string;
  readonly y: string;
  readonly title?: string;
  readonly subtitle?: string;
  /** Axes over several powers of ten: `x`, `y` or both. All values there are above 0. */
  readonly logarithmic?: 'x' | 'y' | 'xy';
  /** Where the values of x are a few that were chosen, such as 1, 16, 128: one tick at each. */
  readonly ticks?: readonly number[];
  /** Horizontal lines to compare with. */
  readonly rules?: ReadonlyArray<{ readonly y: number; readonly label?: string }>;
  /** At the lines' right ends unless told; `above` for lines that all end in one place, as distributions do. */
  readonly names?: 'at the ends' | 'above';
  /** In pixels, without title. 360 unless told. */
  readonly height?: number;
}

/** Lines in the order in which their series come up, through points in the order given. */
export function linesFigure(
  name: string,
  alt: string,
  points: readonly LinePoint[],
  { x, y, title, subtitle, logarithmic, ...options }: LinesOptions,
): Figure {
  const { ticks, rules = [], names = 'at the ends', height = 360 } = options;
  const colours = seriesColours(points.map(({ series }) => series));
  const xAxis = { label: x, labelAnchor: 'center', labelArrow: 'none' } as const;
  const logX = logarithmic?.includes('x')
    ? logAxis(
        points.map((point) => point.x),
        ticks,
      )
    : undefined;
  const logY = logarithmic?.includes('y') ? logAxis([...points, ...rules].map((point) => point.y)) : undefined;
  const direct = names === 'at the ends';
  const width = ({ series }: LinePoint) => (isOwn(series) ? 3 : 2);
  const lineOf = { x: 'x', y: 'y', stroke: 'series', z: 'series' } as const;
  return {
    name,
    alt,
    plot: {
      title,
      subtitle,
      height,
      marginTop: 40,
      marginLeft: LEFT,
      marginRight: direct ? endLabelsWidth(colours.domain) : 24,
      x: { ...xAxis, ...(logX?.scale ?? { ticks: ticks && [...ticks] }) },
      y: { label: null, ...(logY?.scale ?? { grid: true, nice: true, zero: true }) },
      color: { domain: colours.domain, range: colours.range, legend: !direct },
      marks: [
        // Above its numbers, where it takes no room from the lines and is read without turning one's head.
        Plot.text([y], { frameAnchor: 'top-left', textAnchor: 'start', dx: 16 - LEFT, dy: -24 }),
        ...(logX === undefined ? [] : [Plot.axisX(logX.ticks, { ...xAxis, text: plainTick })]),
        ...(logY === undefined
          ? []
          : [Plot.gridY(logY.ticks), Plot.axisY(logY.ticks, { label: null, text: plainTick })]),
        Plot.ruleY(rules, { y: 'y', stroke: RULE_COLOUR, strokeDasharray: '4 3' }),
        Plot.text(
          rules.filter(({ label }) => label !== undefined),
          { y: 'y', text: 'label', frameAnchor: 'left', textAnchor: 'start', dx: 4, dy: -8, fill: RULE_COLOUR },
        ),
        // The project's own line comes last, over the others.
        ...[false, true].map((own) => {
          const drawn = points.filter(({ series }) => isOwn(series) === own);
          return Plot.line(drawn, { ...lineOf, strokeWidth: own ? 3 : 2 });
        }),
        ...(points.length > 200 ? [] : [Plot.dot(points, { x: 'x', y: 'y', fill: 'series', r: width })]),
        ...(direct ? [endLabels(points)] : []),
      ],
    },
  };
}

const LEFT = 64;
