import { type ServiceError, status } from '@grpc/grpc-js';

/** Many calls that wait for their answers, over several connections, in one way of making and cancelling them. */
export interface OutstandingCalls {
  /** Cancels all at once. */
  cancel(): Promise<Span>;
  /** Makes a call on each connection that is answered at once: on the same connection, when that is still there. */
  callOnEach(): Promise<void>;
  close(): Promise<void>;
}

/** From start to end of the cancelling itself, a piece of synchronous work, in `performance.now()`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Starts `count` calls per connection, each of which tells `onEnd` its error. */
export type StartCalls = (crowd: Crowd, onEnd: (error: ServiceError | null) => void) => Promise<OutstandingCalls>;

export interface Crowd {
  readonly address: string;
  readonly connections: number;
  readonly callsPerConnection: number;
}

/** All calls have a deadline, none of which passes. */
export const timeoutMs = 120_000;

/** grpc-js shares connections with the same options otherwise. */
export const channelOptions = { 'grpc.use_local_subchannel_pool': 1 };

/** Waits for so many calls to end, all of them cancelled. */
export class Endings {
  /** When the last one ended, in `performance.now()`. */
  readonly last: Promise<number>;
  private reached!: (now: number) => void;
  private failed!: (error: Error) => void;
  private ended = 0;

  constructor(private readonly count: number) {
    this.last = new Promise((resolve, reject) => {
      this.reached = resolve;
      this.failed = reject;
    });
    this.last.catch(() => {});
  }

  readonly add = (error: ServiceError | null): void => {
    if (error?.code !== status.CANCELLED) {
      this.failed(new Error('A call was not cancelled', { cause: error }));
    } else if (++this.ended === this.count) {
      this.reached(performance.now());
    }
  };
}
