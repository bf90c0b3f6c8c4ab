import type { Contestant } from './contestant.js';
import { grpcJsFrontend } from './grpc-js-frontend.js';

/** The floor: child calls get nothing of their parent. */
export const contestant: Contestant = {
  name: 'grpc-js, nothing passed on',
  packages: ['@grpc/grpc-js'],
  passesOn: { deadline: false, cancellation: false },
  startFrontend: (upstream) => grpcJsFrontend(upstream, () => ({})),
};
