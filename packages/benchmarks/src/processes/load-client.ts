import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import { credentials, Metadata } from '@grpc/grpc-js';
import { type Count, FrontendClient, type User } from '../generated/bench/v1/bench.js';
import { type ProcessOperations, serveParent } from '../harness/serve-parent.js';

/** The caller of every frontend: plain grpc-js with a deadline, a fixed number of calls in flight. */
export interface LoadClientProcess extends ProcessOperations {
  slice(load: Load): Promise<Slice>;
  /** Of all slices so far of that frontend with so many calls in flight. */
  latencies(load: Pick<Load, 'port' | 'rpc' | 'inFlight'>): Latencies;
  /** Forgets the latencies so far: the end of the warm-up. */
  reset(): void;
}

export interface Load {
  readonly port: number;
  readonly rpc: 'greet' | 'readList' | 'readChat';
  /** Calls start for so long; the slice is over when they all have ended. */
  readonly ms: number;
  readonly inFlight: number;
  /** Messages of a streaming call. */
  readonly messages?: number;
}

export interface Slice {
  readonly calls: number;
  readonly ms: number;
}

/** In milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

const deadlineMs = 30_000;
const clients = new Map<number, FrontendClient>();
const histograms = new Map<string, RecordableHistogram>();

serveParent<LoadClientProcess>({
  slice,

  latencies(load) {
    const histogram = histogramOf(load);
    return { p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6 };
  },

  reset() {
    histograms.clear();
  },
});

function slice(load: Load): Promise<Slice> {
  const client = clientOf(load.port);
  const histogram = histogramOf(load);
  const start = performance.now();
  return new Promise((resolve, reject) => {
    let calls = 0;
    let running = 0;

    function next(): void {
      running++;
      const started = performance.now();
      const ended = (error: Error | null) => {
        running--;
        if (error !== null) {
          reject(error);
          return;
        }
        const now = performance.now();
        histogram.record(Math.max(1, Math.round((now - started) * 1e6)));
        calls++;
        if (now - start < load.ms) {
          next();
        } else if (running === 0) {
          resolve({ calls, ms: now - start });
        }
      };
      const options = { deadline: Date.now() + deadlineMs };
      if (load.rpc === 'greet') {
        client.greet({ id: 'ada' }, new Metadata(), options, ended as (error: Error | null, user: User) => void);
      } else {
        const checked = (error: Error | null, read?: Count) =>
          ended(error ?? (read!.count === load.messages ? null : new Error(`${read!.count} messages arrived`)));
        client[load.rpc]({ count: load.messages! }, new Metadata(), options, checked);
      }
    }

    for (let i = 0; i < load.inFlight; i++) {
      next();
    }
  });
}

function clientOf(port: number): FrontendClient {
  let client = clients.get(port);
  if (client === undefined) {
    client = new FrontendClient(`127.0.0.1:${port}`, credentials.createInsecure());
    clients.set(port, client);
  }
  return client;
}

function histogramOf({ port, rpc, inFlight }: Pick<Load, 'port' | 'rpc' | 'inFlight'>): RecordableHistogram {
  const key = `${port} ${rpc} ${inFlight}`;
  let histogram = histograms.get(key);
  if (histogram === undefined) {
    histogram = createHistogram();
    histograms.set(key, histogram);
  }
  return histogram;
}
