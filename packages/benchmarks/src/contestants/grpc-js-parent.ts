import { propagate } from '@grpc/grpc-js';
import type { Contestant } from './contestant.js';
import { grpcJsFrontend } from './grpc-js-frontend.js';

export const contestant: Contestant = {
  name: "grpc-js, 'parent'",
  packages: ['@grpc/grpc-js'],
  passesOn: { deadline: true, cancellation: true },
  startFrontend: (upstream) =>
    grpcJsFrontend(upstream, (call) => ({ parent: call, propagate_flags: propagate.DEFAULTS })),
};
