import { types } from 'node:util';
import { describeValue } from './describe-value.js';

/** A point in time: a `Date`, or epoch milliseconds. `Infinity` is no deadline; 0, negative or past is already over. */
export type Deadline = Date | number;

/**
 * The epoch milliseconds of a deadline that a user passed in.
 *
 * @throws TypeError naming `option`, for `NaN`, an invalid `Date` and anything that is neither number nor `Date`:
 * grpc-js lets these through and then takes the process down on a connected channel.
 */
export function epochMs(deadline: unknown, option: string): number {
  const ms = typeof deadline === 'object' && types.isDate(deadline) ? deadline.getTime() : deadline;
  if (typeof ms === 'number' && !Number.isNaN(ms)) {
    return ms;
  }
  throw new TypeError(
    `${option} must be a valid Date or a number of epoch milliseconds (Infinity for no deadline), not ${describeValue(deadline)}`,
  );
}

/**
 * The deadline in epoch milliseconds that lies `timeoutMs` milliseconds from now.
 *
 * @throws TypeError naming `option`, for anything that is no number, and `NaN`.
 */
export function timeoutToDeadline(timeoutMs: unknown, option: string): number {
  if (typeof timeoutMs === 'number' && !Number.isNaN(timeoutMs)) {
    return Date.now() + timeoutMs;
  }
  throw new TypeError(
    `${option} must be a number of milliseconds (Infinity for no deadline), not ${describeValue(timeoutMs)}`,
  );
}
