export {
  bindCallContext,
  CallCancelledError,
  type CallContext,
  type CallContextInit,
  CallContextNotFoundError,
  currentCallContext,
  type Deadline,
  type RequestMetadata,
  requireCallContext,
  runDetached,
  runInCallContext,
} from '@grpc-di/call-context';
export type {
  ClientStreamingCall,
  DuplexStreamingCall,
  GrpcCall,
  GrpcCallOptions,
  ServerStreamingCall,
  StreamingCall,
  UnaryCall,
} from './call/calls.js';
export type { GrpcClient, GrpcClientConstructor } from './call/grpc-client.js';
export type {
  LoadBalancingConfig,
  LoadBalancingPolicies,
  OutlierDetection,
  WeightedRoundRobin,
} from './channel/load-balancing-config.js';
export type {
  CallCredentialsFunction,
  CallCredentialsSource,
  CredentialsRequest,
} from './channel/provided-credentials.js';
export type {
  FailureCode,
  HedgingPolicy,
  MethodConfig,
  MethodName,
  RetryPolicy,
  RetryThrottling,
  ServiceConfig,
} from './channel/service-config.js';
export {
  type DiagnosticsLog,
  type DiagnosticsLogger,
  type LogDiagnosticsOptions,
  type LogMethod,
  logGrpcDiagnostics,
} from './diagnostics/log-diagnostics.js';
export type { LogLevel } from './diagnostics/log-lines.js';
export {
  type CallCancelMessage,
  type CallEndMessage,
  type CallStartMessage,
  type CancelledBy,
  type ChannelCloseMessage,
  type ChannelOpenMessage,
  type ContextNotFoundMessage,
  type DeadlineSource,
  diagnosticsChannels,
} from './diagnostics/messages.js';
export type { CallContextPropagationOptions } from './propagation/propagation-options.js';
export type {
  Address,
  CallCredentialsProvider,
  GrpcChannelOptions,
  GrpcClientOptions,
  GrpcInterceptor,
  InterceptorRegistration,
  MethodDefaults,
} from './registration/client-options.js';
export type { GrpcClientOverrides } from './registration/client-overrides.js';
export { configureGrpcClientDefaults } from './registration/configure-defaults.js';
export { createGrpcChannel } from './registration/create-grpc-channel.js';
export { createGrpcClient } from './registration/create-grpc-client.js';
export { getGrpcClient } from './registration/get-grpc-client.js';
export { GrpcClientFactory } from './registration/grpc-client-factory.js';
export { type AddGrpcClient, grpcClientModule } from './registration/grpc-client-module.js';
export { withCallContextPropagation } from './standalone/with-call-context-propagation.js';
