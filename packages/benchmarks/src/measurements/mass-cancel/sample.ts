import type { Operations } from '../../harness/serve-parent.js';
import type { WorkerProcess } from '../../harness/worker-process.js';
import type { Cancelled, CancellingClient } from './cancelling-client.js';
import type { HoldingServerProcess } from './server-process.js';

/** A process, as far as it matters here. */
type Asked<Offered extends Operations<Offered>> = Pick<WorkerProcess<Offered>, 'ask'>;

export interface CrowdSize {
  readonly connections: number;
  readonly callsPerConnection: number;
}

/**
 * Cancels a crowd of calls that the server holds. Each sample has connections of its own: Node's HTTP/2 server closes one
 * that has some 1,000 calls reset in a burst.
 *
 * @throws when a call ends with another status than CANCELLED, or the server has closed a connection. What the server
 * does not see to be cancelled is waited for.
 */
export async function sampleOf(
  client: Asked<CancellingClient>,
  server: Asked<HoldingServerProcess>,
  { connections, callsPerConnection }: CrowdSize,
): Promise<Cancelled> {
  const count = connections * callsPerConnection;
  const address = `127.0.0.1:${await server.ask('port')}`;
  await server.ask('reset');
  await client.ask('start', { address, connections, callsPerConnection });
  await server.ask('held', count);
  const cancelled = await client.ask('cancel');
  await server.ask('cancelled', count);
  await client.ask('callOnEach');
  const seen = await server.ask('connections');
  if (seen !== connections) {
    throw new Error(`Calls came on ${seen} connections instead of ${connections}: some have been lost`);
  }
  await client.ask('close');
  return cancelled;
}
