import type { CallOptions, ClientDuplexStream, ClientReadableStream, Metadata, StatusObject } from '@grpc/grpc-js';

/** The options of one call: grpc-js's own, and more. They work in the promise and in the callback form. */
export interface GrpcCallOptions extends CallOptions {
  /** Milliseconds from now. The smaller of this and `deadline` counts; `Infinity` switches the client's default off. */
  timeoutMs?: number;
  /** Cancels this call alone when it aborts; its reason becomes the error's `cause`. */
  signal?: AbortSignal;
  /** Sent with the call, in addition to a `Metadata` argument where the form has one. */
  metadata?: Metadata | Record<string, string>;
  /** Whether the call waits for a connection that cannot be made now instead of failing with UNAVAILABLE. */
  waitForReady?: boolean;
  /** `false` takes this one call out of propagation. */
  enableCallContextPropagation?: false;
}

/**
 * What the calls of all four kinds have. `using call = ...` and leaving a `for await` early cancel a call that is
 * still running.
 */
export interface GrpcCall extends Disposable {
  /** The response headers. Rejects with the call's error when the call ends before them. */
  readonly headers: Promise<Metadata>;
  /** The trailers. Never rejects. On a stream it resolves once the messages were read or the call was cancelled. */
  readonly trailers: Promise<Metadata>;
  /** The status, also of a call that failed. Never rejects. Resolves when {@link trailers} does. */
  readonly status: Promise<StatusObject>;
  /** Ends the call with CANCELLED; `reason` becomes the error's `cause`. Does nothing once the call has ended. */
  cancel(reason?: unknown): void;
}

/**
 * A promise of the response that rejects with grpc-js's `ServiceError`. Whoever reads `headers`, `trailers` or
 * `status`, cancels or disposes has looked at the call: its rejection is then no unhandled one.
 */
export interface UnaryCall<Response> extends Promise<Response>, GrpcCall {}

/** Like {@link UnaryCall}; requests come from the iterable that the call was given, or from `requests`. */
export interface ClientStreamingCall<Request, Response> extends Promise<Response>, GrpcCall {
  readonly requests: {
    /** Resolves when the transport takes more; rejects when the call has ended. */
    send(message: Request): Promise<void>;
    /** No more requests. */
    end(): void;
  };
}

/** What streaming responses add to grpc-js's own call object. */
export interface StreamingCall<Response> extends GrpcCall, AsyncDisposable {
  /** Leaving the loop early cancels the call. A loop that starts after the call failed throws its error too. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Response>;
}

/** grpc-js's call object, as an async iterable. Its failure needs no 'error' listener. */
export type ServerStreamingCall<Response> = StreamingCall<Response> & ClientReadableStream<Response>;

/** grpc-js's call object, as an async iterable. `write()` and `end()` where it was given no requests. */
export type DuplexStreamingCall<Request, Response> = StreamingCall<Response> & ClientDuplexStream<Request, Response>;
