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
  const reply: RelayReply = { id: '', text: name, deadline: 0 };
  return startServer((server) => {
    server.addService(LeafService, {
      unary: (_call: unknown, respond: (error: null, reply: RelayReply) => void) => respond(null, reply),
    });
  });
}

/** The name of the server that a client leads to. */
export async function serverOf(leaf: GrpcClient<LeafClient>): Promise<string> {
  return (await leaf.unary(REQUEST)).text;
}
