import type {
  ChannelCredentials,
  Client,
  ClientDuplexStream,
  ClientOptions,
  ClientReadableStream,
  ClientUnaryCall,
  ClientWritableStream,
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

type AsyncOrSync<Message> = AsyncIterable<Message> | Iterable<Message>;

// Of an overloaded method, the last overload is inferred from; each generator's last has all that is needed. The order
// matters: a duplex call is a readable and a writable one, and all of them are what a unary call is.
type PromiseMethod<Method> = Method extends (...args: infer Arguments) => infer Call
  ? Call extends ClientDuplexStream<infer Request, infer Response>
    ? (requests?: AsyncOrSync<Request>, options?: GrpcCallOptions) => DuplexStreamingCall<Request, Response>
    : Call extends ClientReadableStream<infer Response>
      ? (request: Arguments[0], options?: GrpcCallOptions) => ServerStreamingCall<Response>
      : Call extends ClientWritableStream<infer Request>
        ? (
            requests?: AsyncOrSync<Request>,
            options?: GrpcCallOptions,
          ) => ClientStreamingCall<Request, ResponseOf<Arguments>>
        : Call extends ClientUnaryCall
          ? (request: Arguments[0], options?: GrpcCallOptions) => UnaryCall<ResponseOf<Arguments>>
          : never
  : never;

type ResponseOf<Arguments extends unknown[]> = Arguments extends [...unknown[], infer Callback]
  ? Callback extends (error: never, value: infer Response) => void
    ? Exclude<Response, undefined>
    : never
  : never;
