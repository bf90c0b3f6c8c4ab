import { describeValue } from './describe-value.js';

/**
 * Whoever cancels is often a socket's event or a timer: an error thrown there would end the process, for a call that is
 * over anyway, and the other subscribers would never hear of it.
 */
export function warnOfSubscriberError(error: unknown): void {
  // As text: in jest's realm and in `node:vm` Node does not know an Error for one, and throws its own.
  process.emitWarning(`A subscriber to a cancellation threw: ${describeValue(error)}`);
}
