import { Metadata, type StatusObject } from '@grpc/grpc-js';

/**
 * What came back with a call besides its messages. The promises of it are made when somebody asks: most calls never
 * have one.
 */
export class CallOutcome {
  /** The call's error, once it failed. */
  error: Error | undefined;

  private receivedHeaders: Metadata | undefined;
  private receivedStatus: StatusObject | undefined;
  private headersWaiter: Waiter<Metadata> | undefined;
  private statusWaiter: Waiter<StatusObject> | undefined;

  get hasEnded(): boolean {
    return this.receivedStatus !== undefined;
  }

  /**
   * Takes an event that grpc-js emits on a call: 'metadata', 'error' before 'status', 'status' last. Calls with a
   * single response have no 'error'; their owner sets {@link error}.
   */
  take(event: string | symbol, value: unknown): void {
    switch (event) {
      case 'metadata':
        this.receivedHeaders = value as Metadata;
        this.headersWaiter?.resolve(value as Metadata);
        break;
      case 'error':
        this.error ??= value as Error;
        break;
      case 'status':
        this.receivedStatus = value as StatusObject;
        this.statusWaiter?.resolve(value as StatusObject);
        this.settleHeaders();
    }
  }

  get headers(): Promise<Metadata> {
    if (this.headersWaiter === undefined) {
      this.headersWaiter = new Waiter();
      if (this.receivedHeaders !== undefined) {
        this.headersWaiter.resolve(this.receivedHeaders);
      } else if (this.receivedStatus !== undefined) {
        this.settleHeaders();
      }
    }
    return this.headersWaiter.promise;
  }

  get status(): Promise<StatusObject> {
    if (this.statusWaiter === undefined) {
      this.statusWaiter = new Waiter();
      if (this.receivedStatus !== undefined) {
        this.statusWaiter.resolve(this.receivedStatus);
      }
    }
    return this.statusWaiter.promise;
  }

  get trailers(): Promise<Metadata> {
    return this.status.then(({ metadata }) => metadata);
  }

  /** A successful call without headers is one that had no messages: its status came as headers. */
  private settleHeaders(): void {
    if (this.error === undefined) {
      this.headersWaiter?.resolve(new Metadata());
    } else {
      this.headersWaiter?.reject(this.error);
    }
  }
}

/** A promise that never is an unhandled rejection: whoever looked at part of a call need not look at all of it. */
class Waiter<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(ignore);
  }
}

function ignore(): void {}
