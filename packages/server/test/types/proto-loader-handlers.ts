import type * as grpc from '@grpc/grpc-js';

// In the style of proto-loader-gen-types: what a client sends is loose, what comes out at the other end (`__Output`) is not.

export interface LookupRequest__Output {
  id: string;
}

export interface LookupReply {
  text?: string;
}

export interface LookupHandlers extends grpc.UntypedServiceImplementation {
  Unary: grpc.handleUnaryCall<LookupRequest__Output, LookupReply>;

  ServerStream: grpc.handleServerStreamingCall<LookupRequest__Output, LookupReply>;

  ClientStream: grpc.handleClientStreamingCall<LookupRequest__Output, LookupReply>;

  Bidi: grpc.handleBidiStreamingCall<LookupRequest__Output, LookupReply>;
}
