import type { StartCalls } from './outstanding-calls.js';

/** Loaded in a process of its own each. */
export const ways = {
  bare: {
    title: 'grpc-js, a loop over `call.cancel()`',
    load: async () => ({ startCalls: (await import('./bare-calls.js')).startBareCalls }),
  },
  'context-callbacks': {
    title: 'grpc-di, callbacks, the context is cancelled',
    load: async () => ({ startCalls: (await import('./context-calls.js')).startContextCallbacks }),
  },
  'context-promises': {
    title: 'grpc-di, promises, the context is cancelled',
    load: async () => ({ startCalls: (await import('./context-calls.js')).startContextPromises }),
  },
  parent: {
    title: "grpc-js, 'parent' is cancelled",
    load: async () => ({ startCalls: (await import('./parent-calls.js')).startParentCalls }),
  },
} satisfies Record<
  string,
  { readonly title: string; readonly load: () => Promise<{ readonly startCalls: StartCalls }> }
>;

export type Way = keyof typeof ways;

export function isWay(name: string): name is Way {
  return Object.hasOwn(ways, name);
}
