import type { Registry } from './registry.js';

/** Loaded when it is used: a process that measures one has nothing of the others in it. */
export const registries = {
  'grpc-js': () => import('./grpc-js.js'),
  inversify: () => import('./inversify.js'),
  'grpc-di': () => import('./grpc-di.js'),
  nestjs: () => import('./nestjs.js'),
} satisfies Record<string, () => Promise<{ readonly registry: Registry }>>;

export type RegistryName = keyof typeof registries;
