import { Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { listen } from '../../contestants/grpc-js-frontend.js';
import { ChainService, type HoldReply, type HoldRequest } from '../../generated/bench/v1/bench.js';
import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';

/** Holds calls and counts them; answers those with the id `answer`. */
export interface HoldingServerProcess extends ProcessOperations {
  port(): number;
  /** Waits until so many calls are held that had come since the last {@link reset}. */
  held(count: number): Promise<void>;
  /** Waits until so many of them have been cancelled. */
  cancelled(count: number): Promise<void>;
  /** On how many connections calls have come. */
  connections(): number;
  reset(): void;
}

class Counter {
  private count = 0;
  private waiting: { readonly count: number; readonly resolve: () => void } | undefined;

  add(): void {
    this.count++;
    this.check();
  }

  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = { count, resolve };
      this.check();
    });
  }

  private check(): void {
    if (this.waiting !== undefined && this.count >= this.waiting.count) {
      this.waiting.resolve();
      this.waiting = undefined;
    }
  }
}

let held = new Counter();
let cancelled = new Counter();
let peers = new Set<string>();

const server = new Server();
server.addService(ChainService, {
  hold(call: ServerUnaryCall<HoldRequest, HoldReply>, callback: sendUnaryData<HoldReply>) {
    peers.add(call.getPeer());
    if (call.request.id === 'answer') {
      callback(null, {});
      return;
    }
    const ofThisRound = cancelled;
    call.on('cancelled', () => ofThisRound.add());
    held.add();
  },
});
const port = await listen(server);

serveParent<HoldingServerProcess>({
  port: () => port,
  held: (count) => held.reached(count),
  cancelled: (count) => cancelled.reached(count),
  connections: () => peers.size,
  reset() {
    held = new Counter();
    cancelled = new Counter();
    peers = new Set();
  },
});
