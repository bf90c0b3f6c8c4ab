export { type CallContextInterceptorOptions, callContextInterceptor } from './context/call-context-interceptor.js';
export { currentServerCallContext, type ServerCallContext } from './context/server-call-context.js';
export { addGrpcService, type GrpcServiceOptions } from './hosting/add-grpc-service.js';
export type { GrpcService } from './hosting/grpc-service.js';
