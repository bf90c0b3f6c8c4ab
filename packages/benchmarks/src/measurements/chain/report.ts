import { ratioFigure } from '../../figures/ratio-figure.js';
import { type Quartiles, quartiles } from '../../harness/quartiles.js';
import type { Figure, Section, Table, Target } from '../../measurement.js';
import type { LeafEnd } from './service-chain.js';

export interface ChainRaw {
  readonly hops: readonly number[];
  readonly timeoutMs: number;
  readonly seats: readonly Seat[];
  /** Titles of the contestants that do not pass on cancellation. */
  readonly leftOut: readonly string[];
  /** For each seat, for each of `hops`, for each round: milliseconds, `null` where the cancel was not seen at the leaf. */
  readonly cancels: Readonly<Record<string, readonly (readonly (readonly (number | null)[])[])[]>>;
  readonly deadlines: Readonly<Record<string, readonly LeafEnd[]>>;
}

export interface Seat {
  readonly name: string;
  readonly contestant: string;
  readonly title: string;
  readonly cancellation: boolean;
}

const compared = 'grpc-js-parent';
const noise = `${compared}-again`;

export function reportChain(raw: ChainRaw): Section {
  const cancelling = raw.seats.filter(({ cancellation }) => cancellation);
  const leftOut =
    raw.leftOut.length === 0 ? '' : ` Those that do not pass it on are left out: ${raw.leftOut.join('; ')}.`;
  return {
    blocks: [
      `A client calls a service that calls the next one, and so on; the last one holds the call. Between the client and the last ` +
        `one are ${raw.hops.join(', ')} services ("hops") of the contestant; the last one is plain grpc-js. All of a ` +
        'chain run in one process, so that there is one clock and no scheduler between them; each contestant has its own.',
      'The client cancels, and what is timed is how long it takes until the last service is told. The contestants take ' +
        `turns in random order, and a ratio is that of two medians of one round, against \`parent\`.${leftOut} ` +
        'Times are medians, with quartiles in brackets.',
      cancelTable(raw, cancelling),
      cancelFigure(raw, cancelling),
      `The client gives its call ${raw.timeoutMs} ms. The deadline that the last service gets is later, as gRPC sends ` +
        'the time that is left, and the way there takes time. The end is when the last service is told that the call is ' +
        'over, by its own deadline or by the cancellation of the service before it, whichever comes first; below 0 it was told early.',
      deadlineTable(raw),
    ],
    targets: cancelling.filter(({ name }) => name.startsWith('grpc-di')).map((seat) => target(raw, seat)),
  };
}

function cancelTable(raw: ChainRaw, seats: readonly Seat[]): Table {
  return {
    columns: ['cancel', 'hops', 'until the last service, ms', "times `parent`'s", 'never within 1 s'],
    rows: seats.flatMap(({ name, title }) =>
      raw.hops.map((hops, at) => {
        const all = raw.cancels[name]![at]!.flat();
        return [title, String(hops), spread(seen(all)), ratioText(ratios(raw, name, at)), share(all)];
      }),
    ),
  };
}

function cancelFigure(raw: ChainRaw, seats: readonly Seat[]): Figure {
  const rows = raw.hops.flatMap((hops, at) =>
    seats.flatMap(({ name, title }) => {
      const ratio = name === compared ? undefined : ratios(raw, name, at);
      return ratio === undefined ? [] : [{ group: hops === 1 ? '1 hop' : `${hops} hops`, contestant: title, ...ratio }];
    }),
  );
  const medians = rows.map(({ group, contestant, median }) => `${contestant}, ${group}: ${median.toFixed(2)}`);
  return ratioFigure(
    'chain',
    `Time from a cancel to the last service, times that of parent. ${medians.join('; ')}.`,
    rows,
    {
      label: "time until the last service is told, as multiples of parent's",
    },
  );
}

function deadlineTable(raw: ChainRaw): Table {
  return {
    columns: [
      'deadline',
      'hops',
      "deadline at the last service, ms after the client's",
      'end, ms after it',
      'never within 1 s',
    ],
    rows: raw.seats.flatMap(({ name, title }) =>
      raw.hops.map((hops) => {
        const ends = raw.deadlines[name]!.filter((end) => end.hops === hops);
        const given = seen(ends.map((end) => end.given));
        const ended = ends.map((end) => end.ended);
        return [title, String(hops), given.length === 0 ? 'none' : spread(given), spread(seen(ended)), share(ended)];
      }),
    ),
  };
}

function target(raw: ChainRaw, { name, title }: Seat): Target {
  const most = Math.max(...raw.hops);
  const at = raw.hops.indexOf(most);
  const ratio = ratios(raw, name, at);
  const ofNoise = ratios(raw, noise, at);
  const medians = [name, compared].map((seat) => seen(raw.cancels[seat]![at]!.flat()));
  const ofMedians = medians.every(({ length }) => length > 0)
    ? ` (of all medians: ${(quartiles(medians[0]!).median / quartiles(medians[1]!).median).toFixed(2)})`
    : '';
  return {
    text:
      `${title}: a cancel through ${most} hops no slower than \`parent\`'s: times \`parent\`'s at most 1, ` +
      'or at most the upper quartile of `parent` against itself',
    measured: `${ratioText(ratio)}${ofMedians}; \`parent\` against itself ${ratioText(ofNoise)}`,
    met: ratio !== undefined && ofNoise !== undefined && ratio.median <= Math.max(1, ofNoise.upper),
    because:
      'on its way down each service also answers its own call, which nobody hears, in the process that all share',
  };
}

/** Of the medians of each round in which both have one. */
function ratios(raw: ChainRaw, name: string, at: number): Quartiles | undefined {
  const medians = [name, compared].map((seat) =>
    raw.cancels[seat]![at]!.map((round) => (seen(round).length === 0 ? null : quartiles(seen(round)).median)),
  );
  const [own, others] = medians as [(number | null)[], (number | null)[]];
  const both = seen(
    own.map((median, round) => (median === null || others[round] === null ? null : median / others[round]!)),
  );
  return both.length === 0 ? undefined : quartiles(both);
}

function seen(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

function spread(values: readonly number[]): string {
  if (values.length === 0) {
    return '';
  }
  const { lower, median, upper } = quartiles(values);
  return `${median.toFixed(2)} (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
}

function ratioText(ratio: Quartiles | undefined): string {
  return ratio === undefined
    ? 'not measured'
    : `${ratio.median.toFixed(2)} (${ratio.lower.toFixed(2)} to ${ratio.upper.toFixed(2)})`;
}

function share(values: readonly (number | null)[]): string {
  return `${values.length - seen(values).length} of ${values.length}`;
}
