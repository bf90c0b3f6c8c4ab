import { describe, expect, test } from '@jest/globals';
import { runTraced } from './run-traced.js';

const REQUESTS = 100;

/** A request to the front server, and the calls to the leaf that its handler makes. */
function drawing(kind: string, children: readonly string[]): string {
  return [
    'request',
    `  CLIENT Relay/${kind}`,
    `    SERVER Relay/${kind}`,
    ...children.flatMap((child) => [`      CLIENT Leaf/${child}`, `        SERVER Leaf/${child}`]),
  ].join('\n');
}

/** By front server and end. */
const TRACES: Record<string, Record<string, string>> = {
  'hosted answered': {
    unary: drawing('Unary', ['Unary', 'ClientStream']),
    serverStream: drawing('ServerStream', ['ServerStream', 'Unary']),
    clientStream: drawing('ClientStream', ['ClientStream', 'Unary']),
    bidi: drawing('Bidi', ['Bidi', 'Unary']),
  },
  'hosted cancelled': {
    unary: drawing('Unary', ['Unary']),
    serverStream: drawing('ServerStream', ['ServerStream']),
    clientStream: drawing('ClientStream', ['ClientStream']),
    bidi: drawing('Bidi', ['Bidi']),
  },
  'plain answered': {
    unary: drawing('Unary', ['Unary', 'Unary']),
    serverStream: drawing('ServerStream', ['Unary', 'Unary']),
    clientStream: drawing('ClientStream', ['Unary', 'Unary']),
    bidi: drawing('Bidi', ['Unary', 'Unary']),
  },
  'plain cancelled': {
    unary: drawing('Unary', ['Unary']),
    serverStream: drawing('ServerStream', ['Unary']),
    clientStream: drawing('ClientStream', ['Unary']),
    bidi: drawing('Bidi', ['Unary']),
  },
};

describe.each([
  ['hosted', 'services of @grpc-di/server, and calls in the promise form'],
  ['plain', 'handlers of grpc-js, and calls in the callback form'],
])('%s: %s', (front) => {
  test.each(['answered', 'cancelled'])(
    'a hundred concurrent requests that are %s have a trace each, with every span in its place',
    async (end) => {
      const traces = await runTraced('nested-calls', [front, end, String(REQUESTS)]);

      const expected = Object.entries(TRACES[`${front} ${end}`]!);
      expect(traces).toEqual(Object.fromEntries(expected.map(([kind, trace]) => [kind, { [trace]: REQUESTS / 4 }])));
    },
    60_000,
  );
});
