import { linesFigure } from '../../figures/lines-figure.js';
import { quartiles } from '../../harness/quartiles.js';
import type { Figure, Section, Table, Target } from '../../measurement.js';
import { bytesPerCall, type Retention } from './retention-of.js';

export interface RetentionRaw {
  readonly contestants: readonly ContestantRetention[];
}

export interface ContestantRetention extends Retention {
  readonly name: string;
  readonly title: string;
}

export function reportRetention({ contestants }: RetentionRaw): Section {
  return {
    blocks: [
      'A service with one open bidirectional stream makes unary calls for it, 32 at a time, each of which succeeds. ' +
        'After a warm-up, and again after every 10,000 calls, its heap is read after a full collection, with the stream ' +
        'still open: what is there is kept for as long as the stream lasts. A contestant whose heap has grown by 400 MB ' +
        'makes no more calls. Then the client half-closes the stream; the ' +
        'reply delay is the time until the status arrives, and "before" is its median for new streams with a few calls.',
      table(contestants),
      figure(contestants),
    ],
    targets: contestants.filter(({ name }) => name.startsWith('grpc-di')).map((ours) => target(ours, contestants)),
  };
}

function table(contestants: readonly ContestantRetention[]): Table {
  return {
    columns: ['', 'calls', 'bytes kept per call', 'reply delay before', 'reply delay after', 'warnings'],
    rows: contestants.map(({ title, heap, replyDelaysBefore, replyDelayAfter, warnings }) => [
      title,
      heap.at(-1)!.calls.toLocaleString('en'),
      bytesText(bytesPerCall(heap)),
      milliseconds(quartiles(replyDelaysBefore).median),
      milliseconds(replyDelayAfter),
      [...new Set(warnings.map((warning) => warning.split(':')[0]!))].join(', ') || 'none',
    ]),
  };
}

function figure(contestants: readonly ContestantRetention[]): Figure {
  const points = contestants.flatMap(({ title, heap }) =>
    heap.map(({ calls, bytes }) => ({ series: title, x: calls, y: (bytes - heap[0]!.bytes) / 1e6 })),
  );
  const ends = contestants.map(({ title, heap }) => `${title} ${bytesText(bytesPerCall(heap))} bytes`);
  return linesFigure(
    'retention',
    `Growth of the heap over the nested calls of one open stream. Per call: ${ends.join(', ')}.`,
    points,
    { x: 'nested calls', y: 'growth of the heap, MB' },
  );
}

function target(ours: ContestantRetention, contestants: readonly ContestantRetention[]): Target {
  const bytes = bytesPerCall(ours.heap);
  const limit = nothing(ours.heap.at(-1)!.calls);
  const floor = contestants.find(({ name }) => name === 'grpc-js');
  const beside = floor === undefined ? '' : ` (${floor.title}: ${bytesText(bytesPerCall(floor.heap))})`;
  return {
    text: `${ours.title}: nothing kept per finished nested call, that is less than ${limit} bytes`,
    measured: `${bytesText(bytes)} bytes${beside}`,
    met: bytes < limit,
  };
}

/**
 * In bytes per call. A full collection does not find the same heap twice: compiled code and grown tables come and go,
 * which is up to 1 MB in all, however few the calls.
 */
function nothing(calls: number): number {
  return Math.max(10, 1e6 / calls);
}

function bytesText(bytes: number): string {
  return Math.abs(bytes) < 100 ? bytes.toFixed(1) : Math.round(bytes).toLocaleString('en');
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : Math.round(ms).toLocaleString('en')} ms`;
}
