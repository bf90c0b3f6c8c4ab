import { AsyncLocalStorage } from 'node:async_hooks';
import type { Contestant } from './contestant.js';
import { grpcJsFrontend } from './grpc-js-frontend.js';

/** The floor for everything ambient: the storage is there, and nothing is read from it. */
export const contestant: Contestant = {
  name: 'grpc-js, deadline by hand, in an AsyncLocalStorage',
  packages: ['@grpc/grpc-js'],
  passesOn: { deadline: true, cancellation: false },
  startFrontend(upstream) {
    const storage = new AsyncLocalStorage<object>();
    return grpcJsFrontend(
      upstream,
      (call) => ({ deadline: call.getDeadline() }),
      (handle) => storage.run({}, handle),
    );
  },
};
