import { ratioFigure } from '../../figures/ratio-figure.js';
import { type Quartiles, quartiles } from '../../harness/quartiles.js';
import type { Figure, Section, Table, Target } from '../../measurement.js';
import type { Cancelled } from './cancelling-client.js';
import type { CrowdSize } from './sample.js';

export interface MassCancelRaw extends CrowdSize {
  readonly seats: readonly { readonly name: string; readonly title: string }[];
  /** For each seat, for each round. */
  readonly samples: Readonly<Record<string, readonly Cancelled[]>>;
}

const compared = 'bare';
const noise = 'bare-again';
const most = 1.1;

export function reportMassCancel(raw: MassCancelRaw): Section {
  const calls = (raw.connections * raw.callsPerConnection).toLocaleString('en');
  return {
    blocks: [
      `A client has ${calls} unary calls outstanding, ${raw.callsPerConnection} on each of ${raw.connections} connections ` +
        'to a grpc-js server that holds them, all with a deadline; then all are cancelled at once: with grpc-js by a loop over `call.cancel()`, ' +
        'with grpc-di and `parent` by the end of the call that they belong to. "Cancelling" is how long the event loop is ' +
        'held up by the cancelling itself; "all ended" is the time from its start until the last callback or rejection. ' +
        'All calls ended with CANCELLED, the server saw each of them cancelled, and no connection was lost: a sample in ' +
        'which that is not so fails the measurement.',
      `Each way has a process of its own, warmed up by one such crowd. They take turns in random order, ${raw.samples[compared]!.length} ` +
        'times; a ratio is that of two samples of one round. Medians, with quartiles in brackets.',
      table(raw),
      figure(raw),
    ],
    targets: raw.seats.filter(({ name }) => name.startsWith('context-')).map((seat) => target(raw, seat, calls)),
  };
}

function table(raw: MassCancelRaw): Table {
  return {
    columns: ['', 'cancelling, ms', "times the loop's", 'all ended, ms', "times the loop's"],
    rows: raw.seats.map(({ name, title }) => [
      title,
      ...(['cancelling', 'delivered'] as const).flatMap((what) => [
        text(quartiles(raw.samples[name]!.map((sample) => sample[what])), 0),
        text(ratio(raw, name, what), 2),
      ]),
    ]),
  };
}

function figure(raw: MassCancelRaw): Figure {
  const rows = (['cancelling', 'delivered'] as const).flatMap((what) =>
    raw.seats
      .filter(({ name }) => name !== compared)
      .map(({ name, title }) => ({
        group: what === 'cancelling' ? 'cancelling' : 'until all have ended',
        contestant: title,
        ...ratio(raw, name, what),
      })),
  );
  const medians = rows.map(({ group, contestant, median }) => `${contestant}, ${group}: ${median.toFixed(2)}`);
  return ratioFigure(
    'mass-cancel',
    `Times, as multiples of those of a loop over call.cancel(). ${medians.join('; ')}.`,
    rows,
    {
      label: "time, as multiples of the loop's",
    },
  );
}

function target(raw: MassCancelRaw, { name, title }: { name: string; title: string }, calls: string): Target {
  const cancelling = ratio(raw, name, 'cancelling');
  const delivered = ratio(raw, name, 'delivered');
  const ofNoise = (['cancelling', 'delivered'] as const).map((what) => text(ratio(raw, noise, what), 2)).join(' and ');
  return {
    text: `${title}, ${calls} calls: at most ${most} times a loop over \`call.cancel()\`, to cancel and until all have ended`,
    measured: `${text(cancelling, 2)} and ${text(delivered, 2)}; the loop against itself ${ofNoise}`,
    met: cancelling.median <= most && delivered.median <= most,
  };
}

function ratio({ samples }: MassCancelRaw, name: string, what: keyof Cancelled): Quartiles {
  return quartiles(samples[name]!.map((sample, round) => sample[what] / samples[compared]![round]![what]));
}

function text({ lower, median, upper }: Quartiles, digits: number): string {
  return `${median.toFixed(digits)} (${lower.toFixed(digits)} to ${upper.toFixed(digits)})`;
}
