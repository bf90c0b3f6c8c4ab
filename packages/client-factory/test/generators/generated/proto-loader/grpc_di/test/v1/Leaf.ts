// Original file: packages/test-rig/proto/grpc_di/test/v1/leaf.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { RelayReply as _grpc_di_test_v1_RelayReply, RelayReply__Output as _grpc_di_test_v1_RelayReply__Output } from '../../../grpc_di/test/v1/RelayReply.js';
import type { RelayRequest as _grpc_di_test_v1_RelayRequest, RelayRequest__Output as _grpc_di_test_v1_RelayRequest__Output } from '../../../grpc_di/test/v1/RelayRequest.js';

export interface LeafClient extends grpc.Client {
  Bidi(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply__Output>;
  Bidi(options?: grpc.CallOptions): grpc.ClientDuplexStream<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply__Output>;
  bidi(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply__Output>;
  bidi(options?: grpc.CallOptions): grpc.ClientDuplexStream<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply__Output>;
  
  ClientStream(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  ClientStream(metadata: grpc.Metadata, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  ClientStream(options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  ClientStream(callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  clientStream(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  clientStream(metadata: grpc.Metadata, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  clientStream(options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  clientStream(callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientWritableStream<_grpc_di_test_v1_RelayRequest>;
  
  ServerStream(argument: _grpc_di_test_v1_RelayRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_grpc_di_test_v1_RelayReply__Output>;
  ServerStream(argument: _grpc_di_test_v1_RelayRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_grpc_di_test_v1_RelayReply__Output>;
  serverStream(argument: _grpc_di_test_v1_RelayRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_grpc_di_test_v1_RelayReply__Output>;
  serverStream(argument: _grpc_di_test_v1_RelayRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_grpc_di_test_v1_RelayReply__Output>;
  
  Unary(argument: _grpc_di_test_v1_RelayRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  Unary(argument: _grpc_di_test_v1_RelayRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  Unary(argument: _grpc_di_test_v1_RelayRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  Unary(argument: _grpc_di_test_v1_RelayRequest, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  unary(argument: _grpc_di_test_v1_RelayRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  unary(argument: _grpc_di_test_v1_RelayRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  unary(argument: _grpc_di_test_v1_RelayRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  unary(argument: _grpc_di_test_v1_RelayRequest, callback: grpc.requestCallback<_grpc_di_test_v1_RelayReply__Output>): grpc.ClientUnaryCall;
  
}

export interface LeafHandlers extends grpc.UntypedServiceImplementation {
  Bidi: grpc.handleBidiStreamingCall<_grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply>;
  
  ClientStream: grpc.handleClientStreamingCall<_grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply>;
  
  ServerStream: grpc.handleServerStreamingCall<_grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply>;
  
  Unary: grpc.handleUnaryCall<_grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply>;
  
}

export interface LeafDefinition extends grpc.ServiceDefinition {
  Bidi: MethodDefinition<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply, _grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply__Output>
  ClientStream: MethodDefinition<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply, _grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply__Output>
  ServerStream: MethodDefinition<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply, _grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply__Output>
  Unary: MethodDefinition<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayReply, _grpc_di_test_v1_RelayRequest__Output, _grpc_di_test_v1_RelayReply__Output>
}
