import { isAbortSignal } from './abort-subscription.js';
import type { CallContext, RequestMetadata } from './call-context.js';
import type { Deadline } from './deadline.js';
import { scopeOf } from './scope-call-context.js';

/** What a new call context starts with. Everything is optional. */
export interface CallContextInit {
  /** The smallest of this, `timeoutMs` and the surrounding context's deadline wins. */
  deadline?: Deadline;
  /** Milliseconds from now. The smallest of this, `deadline` and the surrounding context's deadline wins. */
  timeoutMs?: number;
  /** The context is cancelled when this aborts, or when the surrounding context is. */
  signal?: AbortSignal;
  /** Default: the surrounding context's. */
  requestMetadata?: RequestMetadata;
}

export interface CallContextScopeInit extends CallContextInit {
  /** The context around the new one. Default: none, whatever is current; one that has ended counts as none. */
  parent?: CallContext;
  /** The call's name in errors: a gRPC method's path, a queue's name. */
  name?: string;
}

/** @throws TypeError naming the option, for unknown options and all wrong values but those of deadline and timeoutMs. */
export function checkScopeInit(init: CallContextScopeInit): void {
  for (const option in init) {
    const value = init[option as keyof CallContextScopeInit];
    if (value !== undefined) {
      checkOption(option, value);
    }
  }
}

function checkOption(option: string, value: unknown): void {
  switch (option) {
    case 'deadline':
    case 'timeoutMs':
      return; // checked where they are converted
    case 'signal':
      return check(isAbortSignal(value), 'signal must be an AbortSignal');
    case 'requestMetadata':
      return check(
        hasMethod(value, 'get'),
        'requestMetadata must have a get(name) method, as the Metadata of grpc-js has',
      );
    case 'parent':
      return check(
        scopeOf(value as CallContext) !== undefined,
        'parent must be a CallContext, as currentCallContext() returns it',
      );
    case 'name':
      return check(typeof value === 'string', 'name must be a string');
    default:
      throw unknownOption(option);
  }
}

export function unknownOption(option: string): TypeError {
  return new TypeError(
    `unknown option "${option}" of a call context: it takes deadline, timeoutMs, signal and requestMetadata`,
  );
}

function check(valid: boolean, complaint: string): void {
  if (!valid) {
    throw new TypeError(complaint);
  }
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'function';
}
