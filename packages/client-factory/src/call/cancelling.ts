import { type ClientUnaryCall, status } from '@grpc/grpc-js';
import type { Ending } from '../propagation/call-target.js';
import type { Invocation } from '../propagation/invocation.js';
import type { CallOutcome } from './call-outcome.js';

/** A call object that takes the place of grpc-js's own, which sets `call` on it. */
export interface SurfaceCall {
  call?: ClientUnaryCall['call'];
  invocation?: Invocation;
  readonly outcome: CallOutcome;
}

/** The user's `cancel(reason)`: first through the interceptors, like grpc-js's own. */
export function cancelCall(surface: SurfaceCall, reason: unknown): void {
  const { call, invocation, outcome } = surface;
  if (!outcome.hasEnded && invocation !== undefined) {
    const ending: Ending = { code: status.CANCELLED, details: 'Cancelled on client', by: 'caller', cause: reason };
    invocation.ending ??= ending;
    call?.cancelWithStatus(ending.code, ending.details);
    invocation.cancel(ending);
  }
}

/** The same for grpc-js's own call object, whose cancel ends no more than the first attempt of its interceptors. */
export function cancelEveryAttempt(call: { cancel(): void }, invocation: Invocation): void {
  const cancelFirst = call.cancel.bind(call);
  call.cancel = () => {
    cancelFirst();
    invocation.cancel({ code: status.CANCELLED, details: 'Cancelled on client', by: 'caller' });
  };
}
