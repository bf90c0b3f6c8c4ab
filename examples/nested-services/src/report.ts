import type { Scenario } from './scenarios/scenario.js';
import type { Trace } from './tracing/trace.js';
import type { Paint } from './waterfall/paint.js';
import { spanOf, waterfall } from './waterfall/waterfall.js';

const COLUMNS = 80;

/** What a scenario looked like, in words too, and the expectations that did not come true. */
export function report(scenario: Scenario, traces: Trace[], broken: string[], paint: Paint): string[] {
  // One axis for all, so that they can be compared.
  const spanMs = Math.max(...traces.map(({ calls }) => spanOf(calls)));
  const pictures = traces.flatMap((trace, index) => [
    scenario.titles?.[index] ?? route(trace),
    ...waterfall(trace.calls, spanMs, paint),
  ]);
  return [
    paint(`${scenario.name}: ${scenario.about}`, 'heading'),
    ...pictures,
    ...wrapped(scenario.reading(...traces)),
    ...broken.map((expectation) => paint(`NOT SO: ${expectation}`, 'failure')),
    '',
  ];
}

/** Which rpcs led to which. */
function route({ calls }: Trace): string {
  const counts = new Map<string, number>();
  for (const { service, method } of calls) {
    const rpc = method === '' ? service : `${service}.${method}`;
    counts.set(rpc, (counts.get(rpc) ?? 0) + 1);
  }
  return [...counts].map(([rpc, count]) => (count === 1 ? rpc : `${count} x ${rpc}`)).join(' > ');
}

function wrapped(sentence: string): string[] {
  const lines = [''];
  for (const word of sentence.split(' ')) {
    if (`${lines.at(-1)} ${word}`.length > COLUMNS) {
      lines.push('');
    }
    lines.push(`${lines.pop()} ${word}`.trimStart());
  }
  return lines;
}
