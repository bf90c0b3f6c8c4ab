import { runInNewContext } from 'node:vm';
import { CallCancelledError, type CallContextInit, runInCallContext } from '@grpc-di/call-context';
import { epochMs, timeoutToDeadline } from '@grpc-di/call-context/opener';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

const now = Date.UTC(2030, 0, 1);

beforeEach(() => {
  jest.useFakeTimers({ now });
});
afterEach(() => {
  jest.useRealTimers();
});

test.each<[string, CallContextInit, CallContextInit, number]>([
  ['none without any', {}, {}, Infinity],
  ['the deadline alone', {}, { deadline: now + 10 }, now + 10],
  ['the deadline as a Date', {}, { deadline: new Date(now + 10) }, now + 10],
  ['the timeout alone', {}, { timeoutMs: 10 }, now + 10],
  ['the surrounding alone', { timeoutMs: 10 }, {}, now + 10],
  ['the deadline when it is smallest', { timeoutMs: 30 }, { deadline: now + 10, timeoutMs: 20 }, now + 10],
  ['the timeout when it is smallest', { timeoutMs: 30 }, { deadline: now + 20, timeoutMs: 10 }, now + 10],
  ['the surrounding when it is smallest', { timeoutMs: 10 }, { deadline: now + 20, timeoutMs: 30 }, now + 10],
  ['the surrounding against Infinity', { timeoutMs: 10 }, { deadline: Infinity, timeoutMs: Infinity }, now + 10],
  ['the timeout against a deadline of Infinity', {}, { deadline: Infinity, timeoutMs: 10 }, now + 10],
  ['a deadline of 0', { timeoutMs: 10 }, { deadline: 0 }, 0],
  ['a timeout of 0', { timeoutMs: 10 }, { timeoutMs: 0 }, now],
  ['a negative timeout', {}, { timeoutMs: -10 }, now - 10],
  ['undefined options as if they were not there', {}, { deadline: undefined, timeoutMs: undefined }, Infinity],
])('the smallest deadline wins: %s', (_which, surrounding, init, expected) => {
  const deadline = runInCallContext(surrounding, () => runInCallContext(init, (context) => context.deadline));

  expect(deadline).toBe(expected);
});

test.each<[CallContextInit]>([
  [{ deadline: 0 }],
  [{ deadline: -1 }],
  [{ deadline: -Infinity }],
  [{ deadline: new Date(now - 1) }],
  [{ deadline: now }],
  [{ timeoutMs: 0 }],
  [{ timeoutMs: -1 }],
  [{ timeoutMs: -Infinity }],
])('%p is already over: the function runs, its context is cancelled at once', (init) => {
  const seen = runInCallContext(init, (context) => [
    context.cancelled,
    context.signal.aborted,
    context.timeRemaining(),
  ]);

  expect(seen).toEqual([true, true, 0]);
});

test.each<[string, unknown]>([
  ['NaN', Number.NaN],
  ['a string', '1000'],
  ['a bigint', 1000n],
  ['null', null],
  ['a boolean', true],
  ['an object', {}],
  ['a boxed number', Object(1000)],
  ['an invalid Date', new Date(Number.NaN)],
])(
  'a deadline or timeout that is %s is a TypeError that names the option, before the function runs',
  (_what, value) => {
    const fn = jest.fn();

    const withDeadline = () => runInCallContext({ deadline: value as number, timeoutMs: 10 }, fn);
    const withTimeout = () => runInCallContext({ timeoutMs: value as number, deadline: now + 10 }, fn);

    expect(withDeadline).toThrow(TypeError);
    expect(withDeadline).toThrow(/^deadline must be a valid Date or a number of epoch milliseconds \(Infinity/);
    expect(withTimeout).toThrow(TypeError);
    expect(withTimeout).toThrow(/^timeoutMs must be a number of milliseconds \(Infinity/);
    expect(fn).not.toHaveBeenCalled();
  },
);

test('the error shows the value', () => {
  expect(() => runInCallContext({ timeoutMs: '10' as never }, () => {})).toThrow(/, not '10'$/);
  expect(() => runInCallContext({ deadline: new Date(Number.NaN) }, () => {})).toThrow(/, not Invalid Date$/);
});

test('a Date is no timeout', () => {
  expect(() => runInCallContext({ timeoutMs: new Date(now) as never }, () => {})).toThrow(/^timeoutMs must be/);
});

test('the conversions of the opener name the option that they are told', () => {
  expect(epochMs(new Date(now), 'dueAt')).toBe(now);
  expect(timeoutToDeadline(10, 'visibilityMs')).toBe(now + 10);
  expect(() => epochMs('soon', 'dueAt')).toThrow(/^dueAt must be/);
  expect(() => timeoutToDeadline('soon', 'visibilityMs')).toThrow(/^visibilityMs must be/);
});

test('a Date of another realm is a Date', () => {
  const date = runInNewContext(`new Date(${now + 10})`) as Date;

  expect(runInCallContext({ deadline: date }, (context) => context.deadline)).toBe(now + 10);
});

test('the remaining time counts down to 0', () => {
  runInCallContext({ timeoutMs: 10 }, (context) => {
    jest.setSystemTime(now + 4);
    expect(context.timeRemaining()).toBe(6);

    jest.setSystemTime(now + 11);
    expect(context.timeRemaining()).toBe(0);
  });
  expect(runInCallContext({}, (context) => context.timeRemaining())).toBe(Infinity);
});

test('a clock that has passed the deadline counts before any timer has fired', () => {
  runInCallContext({ timeoutMs: 10 }, (context) => {
    expect(context.cancelled).toBe(false);
    jest.setSystemTime(now + 10);

    expect(context.cancelled).toBe(true);
    expect(() => context.throwIfCancelled()).toThrow(CallCancelledError);
    expect(() => context.throwIfCancelled()).toThrow('The call context was cut short: its deadline passed');
  });
});

test('deadlines further off than timers reach neither abort nor warn', async () => {
  const outcome = await runInNewProcess(async ({ CallContextScope }) => {
    const inits = [
      { timeoutMs: 30 * 24 * 3_600_000 },
      { timeoutMs: 1e9 * 3_600_000 },
      { timeoutMs: Number.MAX_VALUE },
      { timeoutMs: Infinity },
      { deadline: new Date(8.64e15) },
    ];
    const scopes = inits.map((init) => new CallContextScope(init));
    for (const scope of scopes) {
      void scope.context.signal;
    }
    // Node fires a timer whose delay overflows after 1 ms.
    await new Promise((resolve) => setTimeout(resolve, 30));
    console.log(scopes.map((scope) => scope.signal.aborted || scope.isCancelled).join());
    console.log(process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length);
  });

  expect(outcome).toEqual({ exitCode: 0, stdout: 'false,false,false,false,false\n0\n', stderr: '' });
});
