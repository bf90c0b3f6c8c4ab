import type { Contestant } from './contestant.js';
import { grpcJsFrontend } from './grpc-js-frontend.js';

export const contestant: Contestant = {
  name: 'grpc-js, deadline by hand',
  packages: ['@grpc/grpc-js'],
  passesOn: { deadline: true, cancellation: false },
  startFrontend: (upstream) => grpcJsFrontend(upstream, (call) => ({ deadline: call.getDeadline() })),
};
