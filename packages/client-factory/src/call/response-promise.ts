import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import { withStackFramesAgain } from '@grpc-di/call-context/opener';
import type { Invocation } from '../propagation/invocation.js';
import { CallOutcome } from './call-outcome.js';
import type { UnaryCall } from './calls.js';
import { cancelCall, type SurfaceCall } from './cancelling.js';

/** The settlers of the promise whose constructor runs: a function here instead of a closure per call. */
let resolveUnderConstruction: (value: never) => void;
let rejectUnderConstruction: (error: Error) => void;

function keepSettlers(resolve: (value: never) => void, reject: (error: Error) => void): void {
  resolveUnderConstruction = resolve;
  rejectUnderConstruction = reject;
}

/**
 * A call with a single response, as a promise of it. It takes the place of grpc-js's call object, of which grpc-js
 * itself uses no more than `call` and `emit`.
 */
export class ResponsePromise<Response> extends Promise<Response> implements UnaryCall<Response>, SurfaceCall {
  call: SurfaceCall['call'];
  invocation: Invocation | undefined;
  readonly outcome = new CallOutcome();

  private readonly resolve = resolveUnderConstruction as (value: Response) => void;
  private readonly reject = rejectUnderConstruction;
  private isLookedAt = false;
  private emitter: EventEmitter | undefined;

  constructor() {
    super(keepSettlers as never);
  }

  get headers(): Promise<Metadata> {
    this.markLookedAt();
    return this.outcome.headers;
  }

  get trailers(): Promise<Metadata> {
    this.markLookedAt();
    return this.outcome.trailers;
  }

  get status(): Promise<StatusObject> {
    this.markLookedAt();
    return this.outcome.status;
  }

  cancel(reason?: unknown): void {
    this.markLookedAt();
    cancelCall(this, reason);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  /** @internal what grpc-js calls with the call's result. */
  callback(): (error: Error | null, response?: Response) => void {
    return (error, response) => this.settle(error, response);
  }

  private settle(error: Error | null, response: Response | undefined): void {
    if (error === null) {
      this.resolve(response as Response);
      return;
    }
    // A listener of an instrumentation's is told next.
    withStackFramesAgain();
    this.outcome.error = error;
    if (this.invocation!.signal?.aborted) {
      this.markLookedAt();
    }
    this.reject(error);
  }

  /**
   * @internal OpenTelemetry's instrumentation listens for 'metadata' on whatever a call returns, and would make the
   * caller throw where it cannot. Listening is not looking at the call. The listener runs in the async context that it
   * was added in, which is the caller's: the call itself has no listeners but this promise.
   */
  on(event: string, listener: (value: unknown) => void): this {
    (this.emitter ??= new EventEmitter()).on(event, AsyncResource.bind(listener));
    return this;
  }

  /** @internal grpc-js's events: 'metadata', and 'status' after the callback. */
  emit(event: string, value: unknown): boolean {
    this.outcome.take(event, value);
    this.emitter?.emit(event, value);
    if (event === 'status') {
      // The promise may be kept, in a cache for one: not the whole call with it.
      this.call = undefined;
      this.invocation = undefined;
      this.emitter = undefined;
    }
    return true;
  }

  /** Only a call that nobody looked at can be an unhandled rejection. */
  protected markLookedAt(): void {
    if (!this.isLookedAt) {
      this.isLookedAt = true;
      this.catch(ignore);
    }
  }
}

/**
 * `then()` makes its promises with the constructor that it finds on the prototype: `Promise` there means plain ones, at a
 * plain promise's price.
 */
export function derivesPlainPromises(PromiseClass: { readonly prototype: object }): void {
  Object.defineProperty(PromiseClass.prototype, 'constructor', { value: Promise });
}

derivesPlainPromises(ResponsePromise);

function ignore(): void {}
