import { expect, test } from '@jest/globals';
import type { TracedCall } from '../../dist/tracing/trace.js';
import { coloured, plain, wantsColour } from '../../dist/waterfall/paint.js';
import { spanOf, waterfall } from '../../dist/waterfall/waterfall.js';

const start = 1_000_000;

function call(
  service: string,
  depth: number,
  from: number,
  to: number,
  deadline = Infinity,
  outcome = 'OK',
): TracedCall {
  return {
    service,
    method: 'Get',
    depth,
    startedAt: start + from,
    endedAt: start + to,
    deadline: start + deadline,
    outcome,
  };
}

const overrun = [
  call('client', 0, 0, 200, 200, 'DEADLINE_EXCEEDED'),
  call('frontend', 1, 10, 390, 200, 'DEADLINE_EXCEEDED'),
  call('users', 2, 20, 390),
  call('orders', 3, 100, 390),
];

test('a call is a bar under the axis, with its deadline, what came after the client had left, and its outcome', () => {
  expect(waterfall(overrun, 390, plain)).toEqual([
    '             0 ms      100       200       300',
    'client       ████████████████████|                     200 ms  DEADLINE_EXCEEDED',
    '  frontend    ███████████████████|░░░░░░░░░░░░░░░░░░   380 ms  DEADLINE_EXCEEDED',
    '    users      ██████████████████░░░░░░░░░░░░░░░░░░░   370 ms  OK',
    '      orders           ██████████░░░░░░░░░░░░░░░░░░░   290 ms  OK',
  ]);
});

test('the axis reaches to the last end or deadline', () => {
  expect(spanOf(overrun)).toBe(390);
  expect(spanOf([call('client', 0, 0, 100, 800)])).toBe(800);
});

test('the shortest call still has a bar', () => {
  const [, , row] = waterfall([call('client', 0, 0, 5000), call('frontend', 1, 2000, 2000)], 5000, plain);
  expect(row).toMatch(/^ {2}frontend {19}█ +0 ms {2}OK$/);
});

test('a line has at most 80 columns and a time on the axis never hides another', () => {
  for (const spanMs of [1, 9, 100, 333, 1000, 2500, 60_000]) {
    const lines = waterfall([call('client', 0, 0, spanMs, spanMs, 'DEADLINE_EXCEEDED')], spanMs, plain);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^ +0 ms( +\d+)*$/);
  }
});

test('colour adds nothing that could not be read without it', () => {
  const lines = waterfall(overrun, 390, coloured);
  const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
  expect(lines.join('')).toMatch(escapes);
  expect(lines.map((line) => line.replaceAll(escapes, ''))).toEqual(waterfall(overrun, 390, plain));
});

test('there is colour on a terminal, and where it is forced, but never where it is refused', () => {
  expect(wantsColour({}, true)).toBe(true);
  expect(wantsColour({}, false)).toBe(false);
  expect(wantsColour({ TERM: 'dumb' }, true)).toBe(false);
  expect(wantsColour({ FORCE_COLOR: '1' }, false)).toBe(true);
  expect(wantsColour({ FORCE_COLOR: '0' }, true)).toBe(false);
  expect(wantsColour({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false);
});
