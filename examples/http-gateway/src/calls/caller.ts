import { AsyncLocalStorage } from 'node:async_hooks';
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';

const CALLER = 'caller';

const currentCall = new AsyncLocalStorage<string>();

/** Runs a handler as the one that its calls will name as their caller. */
export function runAsCaller<T>(id: string, handle: () => T): T {
  return currentCall.run(id, handle);
}

/** Tells the called service which call it was that called it, so that the page can draw a tree. */
export const tellCaller: Interceptor = (options, nextCall) => {
  const id = currentCall.getStore();
  return new InterceptingCall(nextCall(options), {
    start(metadata, listener, next) {
      if (id !== undefined) {
        metadata.set(CALLER, id);
      }
      next(metadata, listener);
    },
  });
};

export function callerOf(metadata: { get(name: string): unknown[] }): string {
  return String(metadata.get(CALLER)[0]);
}
