import * as Plot from '@observablehq/plot';

/** Groups of rows below each other, each under its name. */
export interface GroupFacets {
  readonly height: number;
  readonly marginTop: number;
  readonly marginBottom: number;
  readonly fy: Plot.ScaleOptions;
  readonly titles: Plot.Markish;
}

/** `rows` is the height of one group's rows, in pixels. A single group that has no name gets no room for it. */
export function groupFacets(groups: readonly string[], rows: number): GroupFacets {
  const named = groups.some((group) => group !== '');
  const marginTop = named ? 30 : 8;
  return {
    marginTop,
    marginBottom: MARGIN_BOTTOM,
    height: marginTop + groups.length * rows + (groups.length - 1) * GAP + MARGIN_BOTTOM,
    fy: {
      label: null,
      axis: null,
      domain: [...groups],
      paddingInner: groups.length > 1 ? GAP / (rows + GAP) : 0,
      paddingOuter: 0,
    },
    titles: Plot.text(named ? groups : [], {
      fy: (group: string) => group,
      text: (group: string) => group,
      frameAnchor: 'top-left',
      textAnchor: 'start',
      fontWeight: 600,
      dy: -16,
    }),
  };
}

const GAP = 40;
/** Room for the axis. */
const MARGIN_BOTTOM = 46;
