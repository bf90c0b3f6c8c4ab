import { type ClientUnaryCall, status } from '@grpc/grpc-js';
import type { Invocation } from '../propagation/invocation.js';
import type { CallOutcome } from './call-outcome.js';

/** A call object that takes the place of grpc-js's own, which sets `call` on it. */
export interface SurfaceCall {
  call?: ClientUnaryCall['call'];
  invocation?: Invocation;
  readonly outcome: CallOutcome;
}

/** The user's `cancel(reason)`: through the interceptors, like grpc-js's own. */
export function cancelCall(surface: SurfaceCall, reason: unknown): void {
  if (!surface.outcome.hasEnded && surface.invocation !== undefined) {
    surface.invocation.cancelReason ??= reason;
    surface.call?.cancelWithStatus(status.CANCELLED, 'Cancelled on client');
  }
}
