import { errorMonitor } from 'node:events';
import { Duplex, Readable } from 'node:stream';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import type { Invocation } from '../propagation/invocation.js';
import { CallOutcome } from './call-outcome.js';
import type { StreamingCall } from './calls.js';
import { cancelCall, type SurfaceCall } from './cancelling.js';
import { ResponseIterator } from './response-iterator.js';

type ReadableConstructor = new (options: { objectMode: true }) => Readable;

/** What the two kinds of call with streaming responses share, on the stream that each of them is. */
function withResponses<Base extends ReadableConstructor>(StreamBase: Base) {
  abstract class StreamingCallBase
    extends (StreamBase as ReadableConstructor)
    implements StreamingCall<unknown>, SurfaceCall
  {
    call: SurfaceCall['call'];
    invocation: Invocation | undefined;
    readonly outcome = new CallOutcome();

    constructor(readonly deserialize: (bytes: Buffer) => unknown) {
      super({ objectMode: true });
    }

    get headers(): Promise<Metadata> {
      return this.outcome.headers;
    }

    get trailers(): Promise<Metadata> {
      return this.outcome.trailers;
    }

    get status(): Promise<StatusObject> {
      return this.outcome.status;
    }

    cancel(reason?: unknown): void {
      cancelCall(this, reason);
    }

    getPeer(): string {
      return this.call?.getPeer() ?? 'unknown';
    }

    getAuthContext(): ReturnType<NonNullable<SurfaceCall['call']>['getAuthContext']> {
      return this.call?.getAuthContext() ?? null;
    }

    override [Symbol.asyncIterator](): ResponseIterator<never> {
      return this.iterator();
    }

    override iterator({ destroyOnReturn = true }: { destroyOnReturn?: boolean } = {}): ResponseIterator<never> {
      return new ResponseIterator<never>(this, this.outcome, destroyOnReturn);
    }

    [Symbol.dispose](): void {
      this.cancel();
    }

    /** Resolves when the call is over on this side, and its status known. */
    override async [Symbol.asyncDispose](): Promise<void> {
      this.cancel();
      await this.status;
    }

    /** A failure that nobody listens to is no uncaught exception: it is kept for `status` and for a later loop. */
    override emit(event: string | symbol, ...values: unknown[]): boolean {
      this.outcome.take(event, values[0]);
      if (event !== 'error') {
        return super.emit(event, ...values);
      }
      if (values[0] !== this.outcome.error) {
        // A stream has one error: the CANCELLED that follows on destroy(error) would be a second.
        return false;
      }
      if (this.listenerCount('error') === 0) {
        // What EventEmitter does for an 'error' before it looks for listeners: instrumentations live by it.
        super.emit(errorMonitor, ...values);
        return false;
      }
      return super.emit(event, ...values);
    }

    override _read(): void {
      this.call?.startRead();
    }

    /** Whoever destroys the stream, `pipeline()` for one, wants no more of the call. */
    override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
      if (error !== null) {
        this.outcome.take('error', error);
      }
      this.cancel(error ?? undefined);
      callback(error);
    }
  }
  return StreamingCallBase;
}

/** A server streaming call: grpc-js's `ClientReadableStream`, and more. */
export class ServerStreamingStream extends withResponses(Readable) {}

/** A bidirectional call: grpc-js's `ClientDuplexStream`, and more. */
export class DuplexStreamingStream extends withResponses(Duplex) {
  constructor(
    readonly serialize: (message: unknown) => Buffer,
    deserialize: (bytes: Buffer) => unknown,
  ) {
    super(deserialize);
  }

  _write(message: unknown, encoding: string, written: (error?: Error | null) => void): void {
    // Write flags of gRPC travel as the stream's encoding, as in grpc-js.
    const flags = Number(encoding);
    this.call?.sendMessageWithContext(
      Number.isNaN(flags) ? { callback: written } : { callback: written, flags },
      message,
    );
  }

  _final(finished: () => void): void {
    this.call?.halfClose();
    finished();
  }
}
