import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
} from '@grpc/grpc-js';
import type { ServerCallContext } from '../context/server-call-context.js';

/**
 * What a class for {@link addGrpcService} implements; `H` is the handler interface that the generator wrote
 * (ts-proto's `UsersServer`, proto-loader's `UsersHandlers`).
 *
 * @example
 * class Users implements GrpcService<UsersServer> {
 *   async getUser(request: GetUserRequest, context: ServerCallContext): Promise<User> { ... }
 *   async *listUsers(request: ListUsersRequest): AsyncIterable<User> { ... }
 * }
 */
export type GrpcService<H> = {
  [Method in keyof H as string extends Method ? never : number extends Method ? never : Method]: ServiceMethod<
    H[Method]
  >;
};

// `handleUnaryCall` and the others cannot be told apart by their calls alone: grpc-js's client streaming call does not
// mention the response. As whole functions they are assignable to none but their own kind.
type ServiceMethod<Handler> =
  Handler extends handleBidiStreamingCall<infer Request, infer Response>
    ? (requests: AsyncIterable<Request>, context: ServerCallContext) => AsyncIterable<Response>
    : Handler extends handleClientStreamingCall<infer Request, infer Response>
      ? (requests: AsyncIterable<Request>, context: ServerCallContext) => Promise<Response>
      : Handler extends handleServerStreamingCall<infer Request, infer Response>
        ? (request: Request, context: ServerCallContext) => AsyncIterable<Response>
        : Handler extends handleUnaryCall<infer Request, infer Response>
          ? (request: Request, context: ServerCallContext) => Promise<Response>
          : never;
