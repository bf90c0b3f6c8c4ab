import type { Metadata } from '@grpc/grpc-js';
import type { CallContext } from '@grpc-di/call-context';
import { currentScope } from '@grpc-di/call-context/opener';
import { type ServerCallScope, serverScopeAround } from './server-call-scope.js';

/** The call that a gRPC handler serves. */
export interface ServerCallContext extends CallContext {
  /** The full path of the rpc, such as `/users.v1.Users/GetUser`. */
  readonly method: string;
  /** The `:authority` that the client asked for. */
  readonly host: string;
  /** The client's address, `unknown` where the transport has none (unix sockets). */
  readonly peer: string;
  readonly requestMetadata: Metadata;
  /** Response trailers: fill in before the handler returns. Sent with success and error alike. */
  readonly trailers: Metadata;
  /**
   * Sends the response headers, once, before the first message.
   *
   * @throws TypeError for anything but a `Metadata`; Error when headers or a message were sent before.
   */
  sendMetadata(headers: Metadata): void;
}

/**
 * The gRPC call that this code serves, also from inside `runInCallContext`; `undefined` outside a gRPC handler and
 * when its call has ended.
 */
export function currentServerCallContext(): ServerCallContext | undefined {
  const scope: ServerCallScope | undefined = serverScopeAround(currentScope());
  return scope === undefined || scope.hasEnded ? undefined : scope.serverContext;
}
