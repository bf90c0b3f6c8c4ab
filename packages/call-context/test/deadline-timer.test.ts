import { CallContextScope, DeadlineTimer, surroundingScope } from '@grpc-di/call-context/opener';
import { afterEach, expect, jest, test } from '@jest/globals';
import { runInNewProcess } from './new-process.js';

const now = Date.UTC(2030, 0, 1);
const dayMs = 24 * 3_600_000;

afterEach(() => {
  jest.useRealTimers();
});

test('it fires once, when the clock reaches the deadline', () => {
  jest.useFakeTimers({ now });
  const onDeadline = jest.fn();
  new DeadlineTimer(now + 100, onDeadline);

  jest.advanceTimersByTime(99);
  expect(onDeadline).not.toHaveBeenCalled();

  jest.advanceTimersByTime(1_000);
  expect(onDeadline).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('it waits longer than a timer can', () => {
  jest.useFakeTimers({ now });
  const onDeadline = jest.fn();
  new DeadlineTimer(now + 60 * dayMs, onDeadline);

  jest.advanceTimersByTime(60 * dayMs - 1);
  expect(onDeadline).not.toHaveBeenCalled();
  expect(jest.getTimerCount()).toBe(1);

  jest.advanceTimersByTime(1);
  expect(onDeadline).toHaveBeenCalledTimes(1);
});

test('a timer that fires before the clock reaches the deadline is set again', () => {
  jest.useFakeTimers({ now });
  const onDeadline = jest.fn();
  new DeadlineTimer(now + 100, onDeadline);

  jest.setSystemTime(now - 50);
  jest.advanceTimersByTime(100);
  expect(onDeadline).not.toHaveBeenCalled();

  jest.advanceTimersByTime(50);
  expect(onDeadline).toHaveBeenCalledTimes(1);
});

test('a deadline in the past fires asynchronously', () => {
  jest.useFakeTimers({ now });
  const onDeadline = jest.fn();
  new DeadlineTimer(now - 100, onDeadline);
  expect(onDeadline).not.toHaveBeenCalled();

  jest.advanceTimersByTime(1);
  expect(onDeadline).toHaveBeenCalledTimes(1);
});

test('a deadline in the past is no negative delay to warn of', async () => {
  const outcome = await runInNewProcess(async ({ DeadlineTimer: Timer }) => {
    const awake = setInterval(() => {}, 1_000);
    await new Promise<void>((resolve) => new Timer(Date.now() - 100, resolve));
    clearInterval(awake);
  });

  expect(outcome).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

test('it never fires once it was cleared, also after it was set again', () => {
  jest.useFakeTimers({ now });
  const onDeadline = jest.fn();
  const timer = new DeadlineTimer(now + 60 * dayMs, onDeadline);

  jest.advanceTimersByTime(30 * dayMs);
  timer.clear();

  expect(jest.getTimerCount()).toBe(0);
  jest.advanceTimersByTime(60 * dayMs);
  expect(onDeadline).not.toHaveBeenCalled();
});

test('it holds no call context', async () => {
  const scope = new CallContextScope({});

  const seen = await new Promise((resolve) => {
    scope.run(() => new DeadlineTimer(Date.now() + 2, () => resolve(surroundingScope())));
  });

  expect(seen).toBeUndefined();
});

test('a scope sets its timer when its signal is read, and takes it back when it ends or is cancelled', () => {
  jest.useFakeTimers({ now });
  const [ended, cancelled, unread] = [1, 2, 3].map(() => new CallContextScope({ timeoutMs: 30 * dayMs }));
  expect(jest.getTimerCount()).toBe(0);

  void ended!.signal;
  void cancelled!.signal;
  void cancelled!.signal;
  void unread!.isCancelled;
  expect(jest.getTimerCount()).toBe(2);

  ended!.end();
  cancelled!.cancel(1, 'left');
  expect(jest.getTimerCount()).toBe(0);
});

test('no timer is set for a signal that is read without a deadline, or after the end', () => {
  jest.useFakeTimers({ now });
  void new CallContextScope({}).signal;
  void new CallContextScope({ timeoutMs: Infinity }).signal;
  void new CallContextScope({ timeoutMs: 0 }).signal;
  const ended = new CallContextScope({ timeoutMs: 10 });
  ended.end();
  void ended.signal;

  expect(jest.getTimerCount()).toBe(0);
});

test('a pending deadline keeps no process alive', async () => {
  const outcome = await runInNewProcess(({ CallContextScope }) => {
    void new CallContextScope({ timeoutMs: 3_600_000 }).signal;
    console.log('last line');
  });

  expect(outcome).toEqual({ exitCode: 0, stdout: 'last line\n', stderr: '' });
});
