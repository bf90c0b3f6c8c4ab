import type { Contestant } from './contestant.js';

/** Loaded when it is used: a process that measures one contestant has nothing of the others in it. */
export const contestants = {
  'grpc-js': () => import('./grpc-js.js'),
  'grpc-js-deadline': () => import('./grpc-js-deadline.js'),
  'grpc-js-deadline-als': () => import('./grpc-js-deadline-als.js'),
  'grpc-js-parent': () => import('./grpc-js-parent.js'),
  'grpc-di': () => import('./grpc-di.js'),
  'grpc-di-callbacks': () => import('./grpc-di-callbacks.js'),
  'nice-grpc': () => import('./nice-grpc.js'),
  'connect-node': () => import('./connect-node.js'),
  nestjs: () => import('./nestjs.js'),
} satisfies Record<string, () => Promise<{ readonly contestant: Contestant }>>;

export type ContestantName = keyof typeof contestants;

export async function loadContestant(name: string): Promise<Contestant> {
  if (!Object.hasOwn(contestants, name)) {
    throw new Error(`There is no contestant "${name}"; there are ${Object.keys(contestants).join(', ')}`);
  }
  const { contestant } = await contestants[name as ContestantName]();
  return contestant;
}
