import { EventEmitter } from 'node:events';
import { CallCredentials } from '@grpc/grpc-js';
import { describeValue, epochMs, isAbortSignal, timeoutToDeadline } from '@grpc-di/call-context/opener';
import type { GrpcCallOptions } from './calls.js';

/**
 * Checks what JavaScript callers can get wrong and grpc-js would not notice: above all a misspelt `timeoutMs`, which is
 * a call without a deadline.
 *
 * @throws TypeError that names the method and the option.
 */
export function checkCallOptions(options: GrpcCallOptions, method: string): void {
  for (const name in options) {
    const value = options[name as keyof GrpcCallOptions];
    const rule = value === undefined ? undefined : brokenRule(name, value);
    if (rule !== undefined) {
      throw new TypeError(`${method}: ${rule}`);
    }
  }
}

/**
 * The call's own deadline in epoch milliseconds, the smaller of `deadline` and `timeoutMs`; `undefined` when it sets
 * neither.
 */
export function deadlineOf({ deadline, timeoutMs }: GrpcCallOptions, method: string): number | undefined {
  if (deadline === undefined && timeoutMs === undefined) {
    return undefined;
  }
  return Math.min(
    deadline === undefined ? Infinity : epochMs(deadline, `${method}: deadline`),
    timeoutMs === undefined ? Infinity : timeoutToDeadline(timeoutMs, `${method}: timeoutMs`),
  );
}

function brokenRule(name: string, value: unknown): string | undefined {
  switch (name) {
    case 'deadline':
    case 'timeoutMs':
    case 'metadata': // checked where they are converted
      return undefined;
    case 'host':
      return typeof value === 'string' ? undefined : `host must be a string, not ${describeValue(value)}`;
    case 'parent':
      return value instanceof EventEmitter
        ? undefined
        : `parent must be a server call of @grpc/grpc-js, not ${describeValue(value)}`;
    case 'propagate_flags':
      return typeof value === 'number' ? undefined : `propagate_flags must be a number, not ${describeValue(value)}`;
    case 'credentials':
      return value instanceof CallCredentials
        ? undefined
        : `credentials must be CallCredentials of @grpc/grpc-js, not ${describeValue(value)}`;
    case 'interceptors':
    case 'interceptor_providers':
      return Array.isArray(value) ? undefined : `${name} must be an array`;
    case 'signal':
      return isAbortSignal(value) ? undefined : `signal must be an AbortSignal, not ${describeValue(value)}`;
    case 'waitForReady':
      return typeof value === 'boolean' ? undefined : `waitForReady must be a boolean, not ${describeValue(value)}`;
    case 'enableCallContextPropagation':
      return value === false
        ? undefined
        : 'enableCallContextPropagation can be no more than switched off for one call: register the client with it';
    default:
      return `unknown call option "${name}"${name === 'timeout' ? '; did you mean timeoutMs?' : ''}`;
  }
}
