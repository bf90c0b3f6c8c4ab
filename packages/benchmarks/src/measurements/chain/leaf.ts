import { performance } from 'node:perf_hooks';
import { Server, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { listen } from '../../contestants/grpc-js-frontend.js';
import { ChainService, type HoldReply, type HoldRequest } from '../../generated/bench/v1/bench.js';

/** The service at the end of a chain, plain grpc-js: holds each call until it is cancelled, and tells when that was. */
export interface Leaf {
  readonly port: number;
  /** The call with this id, from its arrival on. To be asked for before the call starts. */
  held(id: string): Promise<HeldCall>;
  close(): void;
}

export interface HeldCall {
  /** In milliseconds since the epoch; infinite for a call without one. */
  readonly deadline: number;
  /** When its `cancelled` event came, which tells of its deadline as well: as `performance.now()` tells the time. */
  readonly cancelled: Promise<number>;
  /** Answers a call that is held no longer. */
  letGo(): void;
}

export async function startLeaf(): Promise<Leaf> {
  const awaited = new Map<string, (call: HeldCall) => void>();
  const server = new Server();
  server.addService(ChainService, {
    hold(call: ServerUnaryCall<HoldRequest, HoldReply>, callback: sendUnaryData<HoldReply>) {
      const arrived = awaited.get(call.request.id);
      awaited.delete(call.request.id);
      arrived?.({
        deadline: Number(call.getDeadline()),
        cancelled: new Promise((resolve) => call.once('cancelled', () => resolve(performance.now()))),
        letGo: () => callback({ code: status.ABORTED, details: 'Held for too long' }),
      });
    },
  });
  return {
    port: await listen(server),
    held: (id) => new Promise((resolve) => awaited.set(id, resolve)),
    close: () => server.forceShutdown(),
  };
}
