import { promisify } from 'node:util';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import type { GrpcClientFactory } from '@grpc-di/client-factory';
import { HealthImplementation } from 'grpc-health-check';
import { shutDownOnSigterm } from './shutdown.js';

/** Listens on a free port, with the health service and the way out on SIGTERM that every service here has. */
export async function serve(server: Server, clients?: GrpcClientFactory): Promise<void> {
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  shutDownOnSigterm({
    server,
    health,
    clients,
    noticeMs: Number(process.env.NOTICE_MS ?? 200),
    limitMs: Number(process.env.DRAIN_LIMIT_MS ?? 5_000),
  });

  // The demo's own: it learns the port, and its end is the service's too. Neither keeps the service up.
  process.once('disconnect', () => process.exit());
  process.channel?.unref();

  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', ServerCredentials.createInsecure());
  process.send?.(`127.0.0.1:${port}`);
}
