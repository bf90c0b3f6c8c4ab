import { type Crowd, Endings, type OutstandingCalls, type StartCalls } from './outstanding-calls.js';

/** One crowd of outstanding calls after the other. */
export interface CancellingClient {
  start(crowd: Crowd): Promise<void>;
  /** Cancels them, and waits until all have ended with CANCELLED. */
  cancel(): Promise<Cancelled>;
  callOnEach(): Promise<void>;
  close(): Promise<void>;
}

/** Both in milliseconds from the start of the cancelling. */
export interface Cancelled {
  /** How long the event loop was held up by the cancelling itself. */
  readonly cancelling: number;
  /** Until the last call's callback was called, or its promise's. */
  readonly delivered: number;
}

export function cancellingClient(startCalls: StartCalls): CancellingClient {
  let endings: Endings;
  let calls: OutstandingCalls;
  return {
    async start(crowd) {
      endings = new Endings(crowd.connections * crowd.callsPerConnection);
      calls = await startCalls(crowd, endings.add);
    },

    async cancel() {
      // What starting the calls has left behind is not to be collected while they are cancelled.
      globalThis.gc?.();
      const { start, end } = await calls.cancel();
      const delivered = (await endings.last) - start;
      return { cancelling: Number((end - start).toFixed(3)), delivered: Number(delivered.toFixed(3)) };
    },

    callOnEach: () => calls.callOnEach(),
    close: () => calls.close(),
  };
}
