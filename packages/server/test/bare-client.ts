import { credentials } from '@grpc/grpc-js';
import { RelayClient } from '@grpc-di/test-rig';

/**
 * Clients that are grpc-js and nothing else, each on a connection of its own (tests that cut one must not meet
 * another's), which is there before the first call: short deadlines are for the call alone.
 */
export class BareClients {
  private readonly clients: RelayClient[] = [];

  async connect(address: string): Promise<RelayClient> {
    const client = new RelayClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    this.clients.push(client);
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 10_000, (error) => (error === undefined ? resolve() : reject(error)));
    });
    return client;
  }

  close(): void {
    for (const client of this.clients) {
      client.close();
    }
  }
}
