import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Server } from '@grpc/grpc-js';
import type { GrpcClientFactory } from '@grpc-di/client-factory';
import type { HealthImplementation } from 'grpc-health-check';

export interface Shutdown {
  server: Server;
  health: HealthImplementation;
  /** `container.get(GrpcClientFactory)`, where the handlers call other services. */
  clients?: GrpcClientFactory;
  /** How long load balancers need to see that this server is NOT_SERVING. */
  noticeMs: number;
  /** How long running calls may take after that. */
  limitMs: number;
}

export function shutDownOnSigterm(shutdown: Shutdown): void {
  process.once('SIGTERM', () => void shutDown(shutdown));
}

async function shutDown({ server, health, clients, noticeMs, limitMs }: Shutdown): Promise<void> {
  // 1. Not ready, and still serving: who has not noticed yet is not turned away.
  health.setStatus('', 'NOT_SERVING');
  await delay(noticeMs);

  // 2. No new calls. Those that run finish, and may still call other services.
  const limit = setTimeout(() => {
    server.forceShutdown();
    void clients?.close({ cancelCalls: true });
  }, limitMs);
  await promisify(server.tryShutdown.bind(server))();

  // 3. No handler is left that needs a channel. Calls that were detached from theirs finish.
  await clients?.close();
  clearTimeout(limit);

  // 4. The process ends by itself. What still holds it, such as a timer of a handler that was cut, gets a second.
  setTimeout(() => process.exit(), 1_000).unref();
}
