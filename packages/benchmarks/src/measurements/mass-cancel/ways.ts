import type { StartCalls } from './outstanding-calls.js';

/** Loaded in a process of its own each. */
export const ways = {
  bare: {
    title: 'grpc-js, the loop',
    load: async () => ({ startCalls: (await import('./bare-calls.js')).startBareCalls }),
  },
  'bare-promises': {
    title: 'grpc-js, the loop, promises by hand',
    load: async () => ({ startCalls: (await import('./bare-calls.js')).startBarePromises }),
  },
  'context-callbacks': {
    title: 'grpc-di, callbacks',
    load: async () => ({ startCalls: (await import('./context-calls.js')).startContextCallbacks }),
  },
  'context-promises': {
    title: 'grpc-di, promises',
    load: async () => ({ startCalls: (await import('./context-calls.js')).startContextPromises }),
  },
  parent: {
    title: "grpc-js, 'parent'",
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
