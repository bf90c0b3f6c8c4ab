import { ratioFigure } from '../../figures/ratio-figure.js';
import type { BenchRun, Figure, Measurement, Section, Table } from '../../measurement.js';
import { measureSlices, type SliceResults } from '../../slices/measure-slices.js';
import { inWords, ratios, typical } from '../../slices/ratios.js';
import { BY_HAND, BY_HAND_IN_STORAGE, FLOOR, FLOOR_AGAIN, nearSeats } from '../../slices/seats.js';
import { ratioTargets } from '../nested-unary/targets.js';

/** All is told in terms of the deadline by hand. */
const shownSeats = nearSeats.filter((seat) => seat !== FLOOR && seat !== FLOOR_AGAIN);

interface OnNode {
  readonly node: string;
  readonly result: SliceResults;
}

/** What the ambient context costs differs with the version: its storage was made anew in 24. */
export const nodeVersions: Measurement<{ readonly results: readonly OnNode[] }> = {
  name: 'node-versions',
  title: 'Nested unary calls on several versions of Node',

  async run(bench: BenchRun) {
    const results: OnNode[] = [];
    for (const { version, path } of bench.nodes) {
      const [result] = await measureSlices(
        {
          seats: shownSeats,
          // The version that the targets speak of needs the most.
          loads: [{ rpc: 'greet', inFlight: 16, rounds: roundsOn(version, bench.quick) }],
          sliceMs: bench.quick ? 50 : 100,
          warmUpMs: bench.quick ? 500 : 10_000,
          node: path,
        },
        (done, total, doing) =>
          bench.progress(results.length * total + done, bench.nodes.length * total, `Node ${version}, ${doing}`),
      );
      results.push({ node: version, result: result! });
    }
    return { results };
  },

  report({ results }): Section {
    return {
      blocks: [
        'The same as above with 16 calls in flight, all processes on the same version of Node. What is ambient has its price from ' +
          'Node: the deadline by hand inside an AsyncLocalStorage that nobody reads is the floor for that.',
        table(results),
        figure(results),
      ],
      targets: results.filter(({ node }) => node === '24').flatMap(({ node, result }) => ratioTargets(result, node)),
    };
  },
};

function roundsOn(version: string, quick: boolean): number {
  if (quick) {
    return 10;
  }
  return version === '24' ? 600 : 200;
}

function table(results: readonly OnNode[]): Table {
  return {
    columns: [
      'Node',
      'contestant',
      'calls/s',
      'of the deadline by hand',
      'CPU per call, µs',
      'of the deadline by hand',
      'of the same in an AsyncLocalStorage',
      'turns',
    ],
    rows: results.flatMap(({ node, result }) =>
      result.seats.map(({ name, title }) => {
        const rate = ratios(result, 'callsPerSecond', name, BY_HAND);
        return [
          node,
          title,
          typical(result, 'callsPerSecond', name).median.toFixed(0),
          inWords(rate),
          typical(result, 'cpu', name).median.toFixed(0),
          inWords(ratios(result, 'cpu', name, BY_HAND)),
          inWords(ratios(result, 'cpu', name, BY_HAND_IN_STORAGE)),
          String(rate.count),
        ];
      }),
    ),
  };
}

function figure(results: readonly OnNode[]): Figure {
  const rows = results.flatMap(({ node, result }) =>
    result.seats
      .filter(({ name }) => name !== BY_HAND)
      .map(({ name, title }) => ({
        group: `Node ${node}`,
        contestant: title,
        ...ratios(result, 'cpu', name, BY_HAND),
      })),
  );
  return ratioFigure(
    'node-versions',
    `CPU per call: ${rows.map((row) => `${row.group} ${row.contestant} ${row.median.toFixed(2)}`).join(', ')}`,
    rows,
    { label: 'CPU per call of all three processes, as multiples of the deadline by hand', title: 'Versions of Node' },
  );
}
