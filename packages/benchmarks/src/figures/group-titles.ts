import * as Plot from '@observablehq/plot';

/** Names each facet above its rows. A single one that has no name needs none. */
export function groupTitles(groups: readonly string[]): Plot.Markish {
  return Plot.text(
    groups.filter((group) => group !== ''),
    {
      fy: (group: string) => group,
      text: (group: string) => group,
      frameAnchor: 'top-left',
      textAnchor: 'start',
      fontWeight: 600,
      dy: -16,
    },
  );
}
