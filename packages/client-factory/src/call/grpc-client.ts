import type {
  ChannelCredentials,
  Client,
  ClientDuplexStream,
  ClientOptions,
  ClientReadableStream,
  ClientUnaryCall,
  ClientWritableStream,
  Metadata,
} from '@grpc/grpc-js';
import type {
  ClientStreamingCall,
  DuplexStreamingCall,
  GrpcCallOptions,
  ServerStreamingCall,
  UnaryCall,
} from './calls.js';

/** A generated client class: of ts-proto, proto-loader, protobuf-ts, grpc-tools. */
export type GrpcClientConstructor<C extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: ClientOptions,
) => C;

/**
 * What gets injected: an instance of the generated class `C` whose methods also work without a callback.
 *
 * @example
 * constructor(@inject(UsersClient) private readonly users: GrpcClient<UsersClient>) {}
 * const user = await this.users.getUser({ id: '1' }, { timeoutMs: 500 });
 */
export type GrpcClient<C extends Client> = PromiseMethods<C> & C;

type PromiseMethods<C extends Client> = {
  [Method in keyof C as Method extends keyof Client
    ? never
    : PromiseMethod<C[Method]> extends never
      ? never
      : Method]: PromiseMethod<C[Method]>;
};

// Of an overloaded method, the last overload is inferred from; each generator's last has all that is needed. The order
// matters: a duplex call is a readable and a writable one, and all of them are what a unary call is.
type PromiseMethod<Method> = Method extends (...args: infer Arguments) => infer Call
  ? Call extends ClientDuplexStream<infer Request, infer Response>
    ? DuplexStreamingMethod<Request, Response>
    : Call extends ClientReadableStream<infer Response>
      ? ServerStreamingMethod<Arguments[0], Response>
      : Call extends ClientWritableStream<infer Request>
        ? ClientStreamingMethod<Request, ResponseOf<Arguments>, CallbackOf<Arguments>>
        : Call extends ClientUnaryCall
          ? UnaryMethod<Arguments[0], ResponseOf<Arguments>, CallbackOf<Arguments>>
          : never
  : never;

type AsyncOrSync<Message> = AsyncIterable<Message> | Iterable<Message>;

// Beside the promise forms stand grpc-js's own forms with a `Metadata` or with options, because what the generators
// declare for them knows neither our options nor the call object that comes back. Type aliases, because a user's
// declaration file can spell out what they stand for without naming them.

type UnaryMethod<Request, Response, Callback> = {
  (request: Request, options?: GrpcCallOptions): UnaryCall<Response>;
  (request: Request, metadata: Metadata, options?: GrpcCallOptions): UnaryCall<Response>;
  (request: Request, options: GrpcCallOptions, callback: Callback): ClientUnaryCall;
  (request: Request, metadata: Metadata, options: GrpcCallOptions, callback: Callback): ClientUnaryCall;
};

type ServerStreamingMethod<Request, Response> = {
  (request: Request, options?: GrpcCallOptions): ServerStreamingCall<Response>;
  (request: Request, metadata: Metadata, options?: GrpcCallOptions): ServerStreamingCall<Response>;
};

type ClientStreamingMethod<Request, Response, Callback> = {
  (requests?: AsyncOrSync<Request>, options?: GrpcCallOptions): ClientStreamingCall<Request, Response>;
  (metadata: Metadata, options?: GrpcCallOptions): ClientStreamingCall<Request, Response>;
  (options: GrpcCallOptions): ClientStreamingCall<Request, Response>;
  (options: GrpcCallOptions, callback: Callback): ClientWritableStream<Request>;
  (metadata: Metadata, options: GrpcCallOptions, callback: Callback): ClientWritableStream<Request>;
};

type DuplexStreamingMethod<Request, Response> = {
  (requests?: AsyncOrSync<Request>, options?: GrpcCallOptions): DuplexStreamingCall<Request, Response>;
  (metadata: Metadata, options?: GrpcCallOptions): DuplexStreamingCall<Request, Response>;
  (options: GrpcCallOptions): DuplexStreamingCall<Request, Response>;
};

/** The last argument, which protobuf-ts declares as optional. */
type CallbackOf<Arguments extends unknown[]> =
  Required<Arguments> extends [...unknown[], infer Callback] ? Callback : never;

type ResponseOf<Arguments extends unknown[]> =
  CallbackOf<Arguments> extends (error: never, value: infer Response) => void ? Exclude<Response, undefined> : never;
