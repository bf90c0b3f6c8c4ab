/** For Plot's `color` option: the same names have the same colours in every figure that names them in the same order. */
export interface SeriesColours {
  readonly domain: readonly string[];
  readonly range: readonly string[];
}

/**
 * One strong colour for what is this project's own, whose name begins with `grpc-di`; muted ones, which differ in
 * lightness too, for the others. Names may repeat.
 */
export function seriesColours(names: Iterable<string>): SeriesColours {
  const domain = [...new Set(names)];
  let own = 0;
  let other = 0;
  const range = domain.map((name) => (isOwn(name) ? OWN[own++ % OWN.length]! : OTHERS[other++ % OTHERS.length]!));
  return { domain, range };
}

/** Whether a series is one of this project. */
export function isOwn(name: string): boolean {
  return name.startsWith('grpc-di');
}

/** Of rules, whiskers' ends and other lines that are no data. */
export const RULE_COLOUR = '#6b7280';

// Vermilion after Okabe and Ito, whom readers of every kind of colour vision can tell from greys and blues; and darker
// and lighter ones of it, where more than one series is the project's own.
const OWN = ['#d55e00', '#8f3f00', '#f2a15f'];

const OTHERS = ['#4b5563', '#7fa6c9', '#8e949e', '#35618e', '#86b3a0', '#9d8fb8', '#aaa06a', '#1f2937'];
