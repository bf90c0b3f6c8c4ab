import { type StatusObject, status } from '@grpc/grpc-js';
import { CallCancelledError } from '@grpc-di/call-context';
import { type CallContextScope, isCallCancelledError } from '@grpc-di/call-context/opener';
import type { CallTarget, Ending } from './call-target.js';
import { parentDeadlineInWords } from './parent-call.js';
import type { PropagationPolicy } from './propagation-options.js';

// Why a call ends, or never starts, on our side: what its caller reads.

export function closedEnding(closedBecause: string): Ending {
  return { code: status.UNAVAILABLE, details: closedBecause, by: 'close' };
}

/** Whoever closes the channel has its running calls cancelled. */
export function closeEnding(because: string): Ending {
  return { code: status.CANCELLED, details: `Cancelled: ${because}`, by: 'close' };
}

export function insecureCredentialsEnding({ client }: CallTarget): Ending {
  return {
    code: status.UNAUTHENTICATED,
    details:
      `The call brings call credentials, and the channel of gRPC client '${client}' is insecure: they would be sent in ` +
      'clear text. Use an https address or secure channel credentials, or register the client with ' +
      'unsafeUseInsecureChannelCallCredentials: true.',
  };
}

/** Why credentials for a call are not needed any more. */
export function callFailure({ code, details, cause }: StatusObject & { cause?: unknown }): CallCancelledError {
  return isCallCancelledError(cause)
    ? cause
    : new CallCancelledError(code === status.DEADLINE_EXCEEDED ? 4 : 1, details, cause);
}

/** A signal of another call's context brings that call's code; any other one is a CANCELLED. */
export function signalEnding(reason: unknown): Ending {
  return isCallCancelledError(reason)
    ? { code: reason.code, details: `Cancelled by the call's signal: ${reason.message}`, by: 'signal', cause: reason }
    : { code: status.CANCELLED, details: "Cancelled by the call's signal", by: 'signal', cause: reason };
}

/** The parent was cut short. */
export function parentEnding(parent: CallContextScope, policy: PropagationPolicy): Ending {
  const reason = parent.reason!;
  return {
    code: reason.code,
    details:
      reason.code === 4
        ? `Deadline exceeded (${parentDeadlineInWords(parent, policy)})`
        : `Cancelled by the parent: ${reason.message}`,
    // The parent's deadline is this call's too, and whichever clock is first says the same of it.
    by: reason.code === 4 ? 'deadline' : 'parent',
    cause: reason,
  };
}

/** A deadline that was the call's own, its client's or an interceptor's, in these words. */
export function ownDeadlineEnding(words: string): Ending {
  return { code: status.DEADLINE_EXCEEDED, details: `Deadline exceeded (${words})`, by: 'deadline' };
}

/** The parent's deadline, which the child may notice before the parent does, or a margin earlier. */
export function parentDeadlineEnding(parent: CallContextScope, policy: PropagationPolicy): Ending {
  const words = parentDeadlineInWords(parent, policy);
  return {
    code: status.DEADLINE_EXCEEDED,
    details: `Deadline exceeded (${words})`,
    by: 'deadline',
    cause: parent.reason ?? new CallCancelledError(4, `${words}, has passed`),
  };
}
