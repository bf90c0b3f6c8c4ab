export { type AbortSubscriber, isAbortSignal, subscribeToSignal, unsubscribeFromSignal } from './abort-subscription.js';
export { currentScope, runInScope, surroundingScope } from './ambient.js';
export { epochMs, timeoutToDeadline } from './deadline.js';
export { DeadlineTimer } from './deadline-timer.js';
export { describeValue } from './describe-value.js';
export { type CancellationCode, callContextNotFound, isCallCancelledError } from './errors.js';
export {
  type CallContextInit,
  CallContextScope,
  type CallContextScopeInit,
  type CancellationSubscriber,
} from './scope.js';
export { ScopeCallContext } from './scope-call-context.js';
export { withoutStackFrames } from './without-stack-frames.js';
