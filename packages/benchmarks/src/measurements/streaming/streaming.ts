import { ratioFigure } from '../../figures/ratio-figure.js';
import type { BenchRun, Figure, Measurement, Section, Table, Target } from '../../measurement.js';
import { measureSlices, type SliceResults } from '../../slices/measure-slices.js';
import { inWords, ratios, seatOf, typical } from '../../slices/ratios.js';
import { allSeats, BY_HAND, BY_HAND_IN_STORAGE, FLOOR, nearSeats, PROMISES } from '../../slices/seats.js';

/** Messages of one call. */
const MESSAGES = 500;

const titles = { readList: 'Server streaming', readChat: 'Bidirectional streaming' } as const;

export const streaming: Measurement<{ readonly results: readonly SliceResults[] }> = {
  name: 'streaming',
  title: 'Streaming',

  async run(bench: BenchRun) {
    const rounds = bench.quick ? 8 : 200;
    const results = await measureSlices(
      {
        seats: bench.quick ? nearSeats : allSeats,
        loads: (['readList', 'readChat'] as const).map((rpc) => ({ rpc, inFlight: 4, rounds, messages: MESSAGES })),
        sliceMs: bench.quick ? 50 : 100,
        warmUpMs: bench.quick ? 500 : 6_000,
      },
      (done, total, doing) => bench.progress(done, total, doing),
    );
    return { results };
  },

  report({ results }): Section {
    return {
      blocks: [
        `The frontend reads a stream of ${MESSAGES} messages from users for each unary call of the caller's, four at a time; in ` +
          'the bidirectional one it sends as many. The grpc-js contestants and the promise form of grpc-di read with `for await`, ' +
          "the callback form with 'data' listeners; connect-node and nice-grpc with `for await`, NestJS through an observable. " +
          'Turns and ratios are as with the unary calls.',
        ...results.flatMap((result) => [table(result), figure(result)]),
      ],
      targets: results.map(target),
    };
  },
};

function titleOf({ load }: SliceResults): string {
  return titles[load.rpc as keyof typeof titles];
}

function table(result: SliceResults): Table {
  return {
    columns: [
      titleOf(result),
      'messages/s',
      'of the floor',
      'of the deadline by hand in an AsyncLocalStorage',
      "frontend's CPU per message, µs",
      'of the floor',
      'turns',
    ],
    rows: result.seats.map(({ name, title }) => {
      const rate = ratios(result, 'callsPerSecond', name, FLOOR);
      return [
        title,
        (typical(result, 'callsPerSecond', name).median * MESSAGES).toFixed(0),
        inWords(rate),
        inWords(ratios(result, 'callsPerSecond', name, BY_HAND_IN_STORAGE)),
        (typical(result, 'frontendCpu', name).median / MESSAGES).toFixed(2),
        inWords(ratios(result, 'frontendCpu', name, FLOOR)),
        String(rate.count),
      ];
    }),
  };
}

function figure(result: SliceResults): Figure {
  const rows = result.seats
    .filter(({ name }) => name !== FLOOR)
    .map(({ name, title }) => ({
      group: titleOf(result),
      contestant: title,
      ...ratios(result, 'callsPerSecond', name, FLOOR),
    }));
  return ratioFigure(
    `streaming-${result.load.rpc === 'readList' ? 'server' : 'bidi'}`,
    `Messages per second: ${rows.map((row) => `${row.contestant} ${row.median.toFixed(2)}`).join(', ')}`,
    rows,
    { label: `messages per second, as multiples of ${seatOf(result, FLOOR).title}`, title: titleOf(result) },
  );
}

function target(result: SliceResults): Target {
  const rate = ratios(result, 'callsPerSecond', PROMISES, BY_HAND);
  const storage = ratios(result, 'callsPerSecond', BY_HAND_IN_STORAGE, BY_HAND).median;
  return {
    text:
      `${titleOf(result)}, promise form: messages/s, times those of \`for await\` over the streams of ` +
      `${seatOf(result, BY_HAND).title}: at least 1`,
    measured: `${inWords(rate)}, ${rate.count} turns`,
    met: rate.median >= 1,
    because: `an AsyncLocalStorage alone comes to ${storage.toFixed(2)}`,
  };
}
