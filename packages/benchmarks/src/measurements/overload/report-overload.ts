import { linesFigure } from '../../figures/lines-figure.js';
import type { Figure, Section, Table } from '../../measurement.js';
import type { MeasuredPoint, OverloadRaw } from './overload.js';
import type { Phases } from './plan.js';
import { seriesOf } from './series.js';
import { capacityPerSecond, type Service, type Setting } from './setting.js';

export function reportOverload({ setting, phases, points }: OverloadRaw): Section {
  return {
    blocks: [
      described(setting, phases),
      goodputFigure(points, setting),
      wasteFigure(points),
      meaning(points, setting),
      table(points, setting),
      limits(points),
    ],
    targets: [],
  };
}

function described(setting: Setting, { warmUpMs, measuredMs }: Phases): string {
  const { workers, meanWorkMs, deadlineMs, attempts, marginMs, leastMs } = setting;
  return [
    `Three services in a row, each a process: edge calls middle, middle calls deep. Deep has ${workers} workers and an unbounded`,
    `queue, first come, first served; a job takes ${meanWorkMs} ms of a worker on average (a timer, exponentially distributed), so the`,
    `capacity is ${number(capacityPerSecond(setting), 0)} jobs/s. Requests come as a Poisson process, whatever becomes of those before: each`,
    `kind of service gets the same ones. A client gives every attempt a deadline of ${deadlineMs} ms, and tries ${attempts} times: again after`,
    'DEADLINE_EXCEEDED, with a new deadline.',
    '"No propagation" is the same code without `enableCallContextPropagation` in edge and middle, and without a deadline on their',
    `calls. With it, both keep \`deadlineMarginMs: ${marginMs}\`, and a job whose call is cancelled leaves the queue or its worker.`,
    `"Time checked" is that, and deep begins no job whose \`timeRemaining()\` is below ${leastMs} ms.`,
    `Each point was measured for ${number(measuredMs / 1_000, 1)} s, after a warm-up of ${number(warmUpMs / 1_000, 1)} s.`,
  ].join('\n');
}

function goodputFigure(points: readonly MeasuredPoint[], setting: Setting): Figure {
  const lines = points.map((point) => ({
    series: seriesOf[point.service],
    x: point.load,
    y: point.outcome.goodput / capacityPerSecond(setting),
  }));
  const alt = `Answers in time against offered load, in multiples of the capacity. ${atTheEnds(points, ({ outcome }) => number(outcome.goodput / capacityPerSecond(setting), 2))}`;
  return linesFigure('overload-goodput', alt, lines, {
    title: 'Answers in time under overload',
    x: 'offered load, in multiples of the capacity',
    y: 'answers in time, in multiples of the capacity',
    rules: [{ y: 1, label: 'capacity' }],
  });
}

function wasteFigure(points: readonly MeasuredPoint[]): Figure {
  const lines = points.map(({ service, load, outcome }) => ({
    series: seriesOf[service],
    x: load,
    y: outcome.wasted * 100,
  }));
  const alt = `Work for clients that had gone, as a share of the workers' time, against offered load. ${atTheEnds(points, ({ outcome }) => percent(outcome.wasted))}`;
  return linesFigure('overload-waste', alt, lines, {
    title: 'Work done for nobody',
    x: 'offered load, in multiples of the capacity',
    y: "% of the workers' time",
  });
}

/** What the lines come to at the highest load. */
function atTheEnds(points: readonly MeasuredPoint[], text: (point: MeasuredPoint) => string): string {
  const ends = atLoad(points, highestLoad(points)).map((point) => `${seriesOf[point.service]}: ${text(point)}`);
  return `At ${highestLoad(points)} times the capacity ${ends.join('; ')}.`;
}

function meaning(points: readonly MeasuredPoint[], setting: Setting): string {
  const said = [2, highestLoad(points)]
    .filter((load, i, loads) => loads.indexOf(load) === i)
    .filter((load) => atLoad(points, load).length > 0)
    .map((load) => {
      const each = atLoad(points, load).map(({ service, outcome }) => {
        const goodput = percent(outcome.goodput / capacityPerSecond(setting));
        return `${seriesOf[service]}: ${goodput} of the capacity answered in time, ${percent(outcome.wasted)} of the workers' time for nobody`;
      });
      return `- At ${load} times the capacity. ${each.join('. ')}.`;
    });
  return [
    'What was measured:',
    '',
    ...said,
    '',
    'Without propagation the queue keeps the jobs of clients that have gone; once the wait is longer than the deadline, every job',
    'is done too late, and the retries keep it so. With propagation these jobs leave. But a queue that serves the oldest first',
    'serves, under overload, the job with the least time left: short jobs end in time, longer ones are cut off in the middle, and',
    'their part of the work counts as done for nobody. The propagated deadline lets a service see that before it begins. The',
    'jobs that end in time are shorter than the average: hence more of them than the capacity.',
  ].join('\n');
}

function table(points: readonly MeasuredPoint[], setting: Setting): Table {
  return {
    columns: [
      'load',
      'service',
      'offered/s',
      'in time/s',
      'of capacity',
      'for nobody',
      'done for nobody/s',
      'p50 ms',
      'p99 ms',
    ],
    rows: points.map(({ service, load, outcome }) => [
      `${load} x`,
      seriesOf[service],
      number(outcome.offered, 0),
      number(outcome.goodput, 0),
      percent(outcome.goodput / capacityPerSecond(setting)),
      percent(outcome.wasted),
      number(outcome.doneForNobody, 1),
      outcome.p50 === undefined ? '-' : number(outcome.p50, 0),
      outcome.p99 === undefined ? '-' : number(outcome.p99, 0),
    ]),
  };
}

function limits(points: readonly MeasuredPoint[]): string {
  const busiest = Math.max(...points.map(({ busiestCpu }) => busiestCpu));
  const latest = Math.max(...points.map(({ lateMs }) => lateMs));
  const otherwise = points.reduce((sum, { outcome }) => sum + outcome.otherwise, 0);
  return [
    '"For nobody" is the workers\' time for attempts whose result no client got in time, "done for nobody" counts those of them',
    'that were done to their end. Times are of answers in time, from when the request was due, the first attempt included.',
    `The busiest process took ${percent(busiest)} of one core; jobs took up to ${number(latest, 1)} ms longer than asked for, on the average of a point`,
    `(timers are late, more so on a machine that has other work); ${otherwise} attempts ended with another status than OK and`,
    'DEADLINE_EXCEEDED. A bounded queue, or a timeout on each hop by hand, would help the services without propagation as well;',
    'neither is measured here. Each server listens on several ports, whose connections take turns, because Node closes an HTTP/2',
    'connection whose client resets many streams.',
  ].join('\n');
}

function highestLoad(points: readonly MeasuredPoint[]): number {
  return Math.max(...points.map(({ load }) => load));
}

function atLoad<Point extends { readonly load: number; readonly service: Service }>(
  points: readonly Point[],
  load: number,
): Point[] {
  return points.filter((point) => point.load === load);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function number(value: number, digits: number): string {
  return value.toFixed(digits);
}
