import type { TracedCall } from '../tracing/trace.js';
import { axis } from './axis.js';
import type { Paint } from './paint.js';

const LABEL_WIDTH = 13;
const BAR_WIDTH = 40;
const DURATION_WIDTH = 8;

export const LEGEND = '█ a call   | its deadline   ░ work after the client had left';

/**
 * One line for each call under a time axis, in 80 columns. Time starts with the first call, the client's.
 *
 * @param spanMs how far the axis reaches: the same for waterfalls that are to be compared.
 */
export function waterfall(calls: readonly TracedCall[], spanMs: number, paint: Paint): string[] {
  const client = calls[0]!;
  const rows = calls.map((call) =>
    [
      ('  '.repeat(call.depth) + call.service).padEnd(LABEL_WIDTH),
      bar(call, client, spanMs, paint),
      `${call.endedAt - call.startedAt} ms`.padStart(DURATION_WIDTH),
      '  ',
      paint(call.outcome, call.outcome),
    ].join(''),
  );
  return [' '.repeat(LABEL_WIDTH) + paint(axis(spanMs, BAR_WIDTH), 'axis'), ...rows];
}

/** How far an axis has to reach to show all ends and all deadlines, in ms. */
export function spanOf(calls: readonly TracedCall[]): number {
  const times = calls.flatMap(({ endedAt, deadline }) => [endedAt, deadline]).filter(Number.isFinite);
  return Math.max(...times) - calls[0]!.startedAt;
}

function bar(call: TracedCall, client: TracedCall, spanMs: number, paint: Paint): string {
  const column = (time: number): number =>
    Math.max(0, Math.round(((time - client.startedAt) / spanMs) * (BAR_WIDTH - 1)));
  const start = column(call.startedAt);
  const end = Math.max(start + 1, column(call.endedAt));
  // Less than a column is no more than the way that the news had to go.
  const isLate = call.endedAt - client.endedAt > spanMs / (BAR_WIDTH - 1);
  const late = isLate ? Math.max(start, column(client.endedAt)) : end;
  const cells = Array.from({ length: BAR_WIDTH }, (_, index) => {
    if (index === column(call.deadline)) {
      return '|';
    }
    if (index < start || index >= end) {
      return ' ';
    }
    return index < late ? '█' : '░';
  });
  return cells
    .join('')
    .replaceAll(/█+/g, (text) => paint(text, call.outcome))
    .replaceAll(/░+/g, (text) => paint(text, 'late'))
    .replaceAll('|', (text) => paint(text, 'deadline'));
}
