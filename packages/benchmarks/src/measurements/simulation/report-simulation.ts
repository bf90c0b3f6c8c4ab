import { linesFigure } from '../../figures/lines-figure.js';
import type { Block, Section, Table } from '../../measurement.js';
import { seriesOf } from '../overload/series.js';
import { services } from '../overload/setting.js';
import type { ComparedPoint, GraphPoint, SimulationRaw } from './simulation.js';

export function reportSimulation({ chain, graph }: SimulationRaw): Section {
  return {
    blocks: [...comparison(chain), described(graph), ...figures(graph.points), table(graph.points)],
    targets: [],
  };
}

function comparison(chain: readonly ComparedPoint[]): Block[] {
  if (chain.length === 0) {
    return ['The simulation was not compared: there are no raw numbers of the overload measurement with this setting.'];
  }
  const loads = [...new Set(chain.map(({ load }) => load))];
  return [
    [
      'This is a simulation of queues, workers, deadlines and retries, from event to event. First of the three services above, with',
      `the very same requests, at ${loads.map((load) => `${load}`).join(', ')} times the capacity. The differences to what was measured, in percentage points of the`,
      'capacity:',
    ].join('\n'),
    {
      columns: ['service', 'goodput: mean', 'largest', 'for nobody: mean', 'largest'],
      rows: services.map((service) => {
        const of = chain.filter((point) => point.service === service);
        const goodput = of.map(({ measured, simulated }) => Math.abs(measured.goodput - simulated.goodput));
        const wasted = of.map(({ measured, simulated }) => Math.abs(measured.wasted - simulated.wasted));
        return [
          seriesOf[service],
          ...[mean(goodput), Math.max(...goodput), mean(wasted), Math.max(...wasted)].map(points),
        ];
      }),
    },
  ];
}

function described({ setting, phases, callsPerRequest, workers, hotSpots }: SimulationRaw['graph']): string {
  return [
    `Then of a graph of ${setting.services} services in ${setting.layers} layers, each layer twice as large as the one above. Clients call the first; a service`,
    `works on a request for ${setting.meanWorkMs} ms on average, then calls ${setting.fanOut} or more services of the layers below at once, and answers when all`,
    `have. A request makes ${callsPerRequest.toFixed(0)} calls. The services have ${workers} workers between them. A load of 1 is ${setting.perSecond} requests/s: ${hotSpots} hot spots`,
    `are at their capacity then, the others at half of theirs. Clients have a deadline of ${setting.deadlineMs} ms and ${setting.attempts} attempts; with propagation`,
    `each hop keeps ${setting.marginMs} ms, and "time checked" begins a job only with twice the mean work of every layer from there down left.`,
    `Counted for ${phases.measuredMs / 1_000} s of simulated time, after ${phases.warmUpMs / 1_000} s.`,
    '',
    'The simulation leaves out the network, the time that a cancellation takes to arrive, the CPU of the services and their',
    'connections, and limits of queues.',
  ].join('\n');
}

function figures(all: readonly GraphPoint[]): Block[] {
  const highest = Math.max(...all.map(({ load }) => load));
  const lines = (value: (point: GraphPoint) => number) =>
    all.map((point) => ({ series: seriesOf[point.service], x: point.load, y: value(point) }));
  const ends = (text: (point: GraphPoint) => string) =>
    all
      .filter(({ load }) => load === highest)
      .map((point) => `${seriesOf[point.service]}: ${text(point)}`)
      .join('; ');
  const x = 'offered load, in multiples of what the hot spots can do';
  return [
    linesFigure(
      'simulation-goodput',
      `Answers in time of 1,000 simulated services. At a load of ${highest}: ${ends(({ goodput }) => goodput.toFixed(2))}.`,
      lines(({ goodput }) => goodput),
      { title: 'Answers in time, simulated', x, y: 'answers in time, in multiples of a load of 1' },
    ),
    linesFigure(
      'simulation-waste',
      `Work for nobody of 1,000 simulated services. At a load of ${highest}: ${ends(({ wasted }) => percent(wasted))}.`,
      lines(({ wasted }) => wasted * 100),
      { title: 'Work done for nobody, simulated', x, y: '% of the work that was done' },
    ),
  ];
}

function table(all: readonly GraphPoint[]): Table {
  return {
    columns: ['load', 'service', 'in time, of a load of 1', 'work for nobody'],
    rows: all.map(({ load, service, goodput, wasted }) => [
      `${load} x`,
      seriesOf[service],
      percent(goodput),
      percent(wasted),
    ]),
  };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

function points(share: number): string {
  return (share * 100).toFixed(1);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
