import { ratioFigure } from '../../figures/ratio-figure.js';
import type { BenchRun, Block, Figure, Measurement, Section, Table } from '../../measurement.js';
import { measureSlices, type SliceResults } from '../../slices/measure-slices.js';
import { inWords, ratios, seatOf, typical } from '../../slices/ratios.js';
import { allSeats, FLOOR, nearSeats } from '../../slices/seats.js';
import { aheadOf, ratioTargets } from './targets.js';

export interface NestedUnaryRaw {
  readonly node: string;
  readonly warmUpMs: number;
  readonly sliceMs: number;
  readonly results: readonly SliceResults[];
}

export const nestedUnary: Measurement<NestedUnaryRaw> = {
  name: 'nested-unary',
  title: 'Nested unary calls',

  async run(bench: BenchRun): Promise<NestedUnaryRaw> {
    const warmUpMs = bench.quick ? 500 : 10_000;
    const sliceMs = bench.quick ? 50 : 100;
    const rounds = bench.quick ? [8, 15, 8] : [200, 600, 200];
    const results = await measureSlices(
      {
        seats: bench.quick ? nearSeats : allSeats,
        loads: [1, 16, 128].map((inFlight, i) => ({ rpc: 'greet', inFlight, rounds: rounds[i]! })),
        sliceMs,
        warmUpMs,
      },
      (done, total, doing) => bench.progress(done, total, doing),
    );
    return { node: process.versions.node, warmUpMs, sliceMs, results };
  },

  report({ node, warmUpMs, sliceMs, results }: NestedUnaryRaw): Section {
    return {
      blocks: [
        'A caller, a frontend and the users service, each in a process of its own on one machine: the frontend answers ' +
          "each unary call of the caller's with what its own unary call of users returned. Caller and users are the same plain " +
          `grpc-js for all. After ${warmUpMs / 1000} s of load for each, the contestants take turns of ${sliceMs} ms, in an order ` +
          'drawn anew for each round; a ratio is that of two turns in one round, and what is told of it is the median with the quartiles.',
        ...results.flatMap((result) => [
          table(result),
          figure(result, 'callsPerSecond'),
          figure(result, 'frontendCpu'),
        ]),
      ] satisfies Block[],
      targets: [
        ...results.filter(({ load }) => load.inFlight === 16).flatMap((result) => ratioTargets(result, node)),
        ...results.flatMap((result) => aheadOf(result)),
      ],
    };
  },
};

function table(result: SliceResults): Table {
  return {
    columns: [
      `${result.load.inFlight} in flight`,
      'calls/s',
      'of the floor',
      'p50, ms',
      'p99, ms',
      'CPU per call, µs',
      'of the floor',
      "frontend's CPU, µs",
      'of the floor',
      'turns',
    ],
    rows: result.seats.map(({ name, title, latencies }) => {
      const rate = ratios(result, 'callsPerSecond', name, FLOOR);
      return [
        title,
        typical(result, 'callsPerSecond', name).median.toFixed(0),
        inWords(rate),
        latencies.p50.toFixed(2),
        latencies.p99.toFixed(2),
        typical(result, 'cpu', name).median.toFixed(0),
        inWords(ratios(result, 'cpu', name, FLOOR)),
        typical(result, 'frontendCpu', name).median.toFixed(0),
        inWords(ratios(result, 'frontendCpu', name, FLOOR)),
        String(rate.count),
      ];
    }),
  };
}

function figure(result: SliceResults, measured: 'callsPerSecond' | 'frontendCpu'): Figure {
  const { inFlight } = result.load;
  const what = measured === 'callsPerSecond' ? 'calls per second' : "frontend's CPU per call";
  const rows = result.seats
    .filter(({ name }) => name !== FLOOR)
    .map(({ name, title }) => ({
      group: `${inFlight} in flight`,
      contestant: title,
      ...ratios(result, measured, name, FLOOR),
    }));
  return ratioFigure(
    `nested-unary-${inFlight}-${measured === 'callsPerSecond' ? 'calls' : 'cpu'}`,
    `${what} with ${inFlight} calls in flight: ${rows.map((row) => `${row.contestant} ${row.median.toFixed(2)}`).join(', ')}`,
    rows,
    { label: `${what}, as multiples of ${seatOf(result, FLOOR).title}`, title: `Nested unary: ${what}` },
  );
}
