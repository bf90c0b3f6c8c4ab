import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { ContextOpeningCall } from './context-opening-call.js';
import { DEFAULT_DEADLINE_SLACK_MS } from './server-call-scope.js';

export interface CallContextInterceptorOptions {
  /**
   * Whether a handler that completes cancels the child calls that it left running. Default `false`: they go on, and
   * keep their deadlines.
   */
  cancelOnCompletion?: boolean;
  /**
   * The longest that a call may take, in ms; it caps the deadline, also of calls that came with none. The interceptor
   * itself answers DEADLINE_EXCEEDED then. Default: no cap.
   */
  maxTimeoutMs?: number;
  /**
   * A cancellation seen this many ms before the deadline or later counts as the deadline (code 4, not 1): the client's
   * reset carries no reason and is often faster than the server's clock. Default 250.
   */
  deadlineSlackMs?: number;
}

/**
 * Opens the call context around every handler of a grpc-js server: its deadline and its cancellation reach all that
 * the handler calls. No handler changes. It must be the first interceptor, so that the others run in the context too.
 *
 * @example
 * const server = new Server({ interceptors: [callContextInterceptor()] });
 *
 * @throws TypeError naming the option, for values of a wrong type and for unknown options.
 */
export function callContextInterceptor(options: CallContextInterceptorOptions = {}): ServerInterceptor {
  checkOptions(options);
  const { cancelOnCompletion = false, maxTimeoutMs = Infinity, deadlineSlackMs = DEFAULT_DEADLINE_SLACK_MS } = options;
  const policy = { cancelOnCompletion, maxTimeoutMs, deadlineSlackMs };
  // grpc-js's type is a class with private members; it calls no more than the interface of that.
  return (method, call) => new ContextOpeningCall(method, call, policy) as unknown as ServerInterceptingCall;
}

function checkOptions(options: CallContextInterceptorOptions): void {
  check(typeof options === 'object' && options !== null, 'options must be an object', options);
  for (const [option, value] of Object.entries(options)) {
    switch (option) {
      case 'cancelOnCompletion':
        check(value === undefined || typeof value === 'boolean', `${option} must be a boolean`, value);
        break;
      case 'maxTimeoutMs':
        check(
          value === undefined || isNumberOver(value, 0),
          `${option} must be a number of milliseconds greater than 0`,
          value,
        );
        break;
      case 'deadlineSlackMs':
        check(
          value === undefined || value === 0 || isNumberOver(value, 0),
          `${option} must be a number of milliseconds, 0 or more`,
          value,
        );
        break;
      default:
        throw new TypeError(
          `callContextInterceptor: unknown option "${option}"; it takes cancelOnCompletion, maxTimeoutMs and deadlineSlackMs`,
        );
    }
  }
}

function check(valid: boolean, rule: string, value: unknown): void {
  if (!valid) {
    throw new TypeError(`callContextInterceptor: ${rule}, not ${describeValue(value)}`);
  }
}

function isNumberOver(value: unknown, bound: number): boolean {
  return typeof value === 'number' && value > bound;
}
