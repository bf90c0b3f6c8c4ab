import { status } from '@grpc/grpc-js';
import { quantile } from '../../harness/quartiles.js';
import type { Request } from './clients.js';
import type { Shift } from './workshop.js';

/** What became of one load. */
export interface Outcome {
  /** Requests that were due, per second. */
  readonly offered: number;
  /** Requests that were answered before the deadline of an attempt, per second. */
  readonly goodput: number;
  /** Workers' time for attempts whose client never got the result in time, as a share of all their time. */
  readonly wasted: number;
  /** Workers' time for attempts that were answered in time, as a share of all their time. */
  readonly useful: number;
  /** Jobs that were done to their end although their client had gone, per second. */
  readonly doneForNobody: number;
  /** From when the request was due to its answer, in milliseconds; `undefined` where nothing was answered in time. */
  readonly p50?: number;
  readonly p99?: number;
  /** Attempts that ended neither well nor by their deadline, in the whole load: there should be none. */
  readonly otherwise: number;
}

/** A span of time, in the clock of requests and shifts. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Reckons within a window; the attempts that are under way at its end must have ended in `requests`. */
export function reckon(
  requests: readonly Request[],
  shifts: readonly Shift[],
  workers: number,
  window: Window,
): Outcome {
  const { fromMs, toMs } = window;
  const within = (ms: number | undefined) => ms !== undefined && ms >= fromMs && ms < toMs;
  const perSecond = (count: number) => (count * 1_000) / (toMs - fromMs);
  const share = (ms: number) => ms / (workers * (toMs - fromMs));

  const attempts = requests.flatMap((request) => request.attempts);
  const inTime = new Set(attempts.filter(({ code }) => code === status.OK).map(({ id }) => id));
  const latencies = requests
    .filter(({ attempts: made }) => made.at(-1)!.code === status.OK && within(made.at(-1)!.endedMs))
    .map(({ dueMs, attempts: made }) => made.at(-1)!.endedMs - dueMs)
    .sort((a, b) => a - b);

  const spent = (shift: Shift) => Math.max(0, Math.min(shift.endedMs ?? toMs, toMs) - Math.max(shift.begunMs, fromMs));
  const sum = (chosen: readonly Shift[]) => chosen.reduce((total, shift) => total + spent(shift), 0);
  const useless = shifts.filter(({ attempt }) => !inTime.has(attempt));

  return {
    offered: perSecond(requests.filter(({ dueMs }) => within(dueMs)).length),
    goodput: perSecond(latencies.length),
    wasted: share(sum(useless)),
    useful: share(sum(shifts.filter(({ attempt }) => inTime.has(attempt)))),
    doneForNobody: perSecond(useless.filter(({ done, endedMs }) => done && within(endedMs)).length),
    p50: latencies.length > 0 ? quantile(latencies, 0.5) : undefined,
    p99: latencies.length > 0 ? quantile(latencies, 0.99) : undefined,
    otherwise: attempts.filter(({ code }) => code !== status.OK && code !== status.DEADLINE_EXCEEDED).length,
  };
}
