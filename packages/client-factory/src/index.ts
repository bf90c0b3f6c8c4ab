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
  FailureCode,
  HedgingPolicy,
  MethodConfig,
  MethodName,
  RetryPolicy,
  RetryThrottling,
  ServiceConfig,
} from './channel/service-config.js';
export type { CallContextPropagationOptions } from './propagation/propagation-options.js';
export type { Address, GrpcClientOptions } from './registration/client-options.js';
export { createGrpcClient } from './registration/create-grpc-client.js';
export { getGrpcClient } from './registration/get-grpc-client.js';
export { GrpcClientFactory } from './registration/grpc-client-factory.js';
