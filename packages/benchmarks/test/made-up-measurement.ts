import { barsFigure } from '../dist/figures/bars-figure.js';
import type { Measurement } from '../dist/measurement.js';

/** Gives the delays that a test chose. */
export function madeUpMeasurement(name: string, delays: Record<string, number>): Measurement<Record<string, number>> {
  return {
    name,
    title: `Delays of ${name}`,
    async run(bench) {
      bench.progress(1, 2, 'half of it');
      return delays;
    },
    report(raw) {
      const bars = Object.entries(raw).map(([contestant, value]) => ({ contestant, value }));
      return {
        blocks: [
          'How long it *takes*.',
          { columns: ['contestant', 'delay, ms'], rows: bars.map((bar) => [bar.contestant, bar.value.toFixed(2)]) },
          barsFigure(name, 'Bars [of delays]', bars, { label: 'delay, ms', title: 'Delays & more' }),
        ],
        targets: [{ text: `${name} below 1 ms`, measured: `${raw['grpc-di']} ms`, met: raw['grpc-di']! < 1 }],
      };
    },
  };
}
