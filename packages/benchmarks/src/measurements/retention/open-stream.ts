import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { type ClientDuplexStream, credentials, type StatusObject, status } from '@grpc/grpc-js';
import { type Batch, type Count, FrontendClient } from '../../generated/bench/v1/bench.js';

/** A call of `Frontend.Follow`, on a connection of its own, with a deadline that is an hour away. */
export class OpenStream {
  private readonly client: FrontendClient;
  private readonly call: ClientDuplexStream<Batch, Count>;

  constructor(port: number) {
    // Of grpc-js's connections, those with the same options are shared.
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.client = new FrontendClient(`127.0.0.1:${port}`, credentials.createInsecure(), options);
    this.call = this.client.follow({ deadline: Date.now() + 3_600_000 });
    this.call.resume();
  }

  /** Lets the frontend make so many calls, 32 at a time, and waits until they have ended. */
  async makeCalls(calls: number): Promise<void> {
    const answered = once(this.call, 'data') as Promise<[Count]>;
    this.call.write({ calls, inFlight: 32 });
    const [{ count }] = await answered;
    if (count !== calls) {
      throw new Error(`The frontend made ${count} calls instead of ${calls}`);
    }
  }

  /** Ends the requests, and tells after how many milliseconds the status arrived. */
  async halfClose(): Promise<number> {
    const ended = once(this.call, 'status') as Promise<[StatusObject]>;
    const start = performance.now();
    this.call.end();
    const [{ code, details }] = await ended;
    const ms = Number((performance.now() - start).toFixed(3));
    this.client.close();
    if (code !== status.OK) {
      throw new Error(`The stream ended with ${status[code]}: ${details}`);
    }
    return ms;
  }
}
