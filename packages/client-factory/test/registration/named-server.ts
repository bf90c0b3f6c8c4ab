import type { sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { GrpcClient } from '@grpc-di/client-factory';
import {
  type LeafClient,
  LeafService,
  type RelayReply,
  type RelayRequest,
  type RunningServer,
  startServer,
} from '@grpc-di/test-rig';

export const REQUEST: RelayRequest = { id: 'request', script: '', path: [] };

/** A server that answers every unary call with its own name: which one did a client reach? */
export function startNamedServer(name: string): Promise<RunningServer> {
  return startServer((server) => server.addService(LeafService, answeringWith(name)));
}

/** Handlers of the leaf service that answer every unary call with a name. */
export function answeringWith(name: string): UntypedServiceImplementation {
  return {
    unary: (_call: unknown, respond: sendUnaryData<RelayReply>) => respond(null, { id: '', text: name, deadline: 0 }),
  };
}

/** The name of the server that a client leads to. */
export async function serverOf(leaf: GrpcClient<LeafClient>): Promise<string> {
  return (await leaf.unary(REQUEST)).text;
}
