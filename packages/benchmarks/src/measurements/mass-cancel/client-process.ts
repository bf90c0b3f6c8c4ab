import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';
import { type Crowd, Endings, type OutstandingCalls } from './outstanding-calls.js';
import { isWay, ways } from './ways.js';

/** Makes and cancels outstanding calls in one way: `client-process.js <way>`. */
export interface MassCancelProcess extends ProcessOperations {
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

const way = process.argv[2]!;
if (!isWay(way)) {
  throw new Error(`There is no way "${way}"`);
}
const { startCalls } = await ways[way].load();
let endings: Endings;
let calls: OutstandingCalls;

serveParent<MassCancelProcess>({
  async start(crowd) {
    endings = new Endings(crowd.connections * crowd.callsPerConnection);
    calls = await startCalls(crowd, endings.add);
  },

  async cancel() {
    // What starting the calls has left behind is not to be collected while they are cancelled.
    globalThis.gc!();
    const { start, end } = await calls.cancel();
    return { cancelling: end - start, delivered: (await endings.last) - start };
  },

  callOnEach: () => calls.callOnEach(),
  close: () => calls.close(),
});
