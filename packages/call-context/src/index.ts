export { bindCallContext, currentCallContext, requireCallContext, runDetached } from './ambient.js';
export type { CallContext, RequestMetadata } from './call-context.js';
export type { Deadline } from './deadline.js';
export { CallCancelledError, CallContextNotFoundError } from './errors.js';
export { runInCallContext } from './run-in-call-context.js';
export type { CallContextInit } from './scope-init.js';
