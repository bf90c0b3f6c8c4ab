import { type ClientUnaryCall, credentials, Metadata } from '@grpc/grpc-js';
import { ChainClient } from '../../generated/bench/v1/bench.js';
import { type Crowd, channelOptions, type StartCalls, timeoutMs } from './outstanding-calls.js';

/** The floor: a grpc-js client, its deadline by hand, and a loop over `call.cancel()`. */
export const startBareCalls: StartCalls = async (crowd, onEnd) => {
  const clients = openClients(crowd);
  const calls: ClientUnaryCall[] = [];
  const deadline = Date.now() + timeoutMs;
  for (const client of clients) {
    for (let i = 0; i < crowd.callsPerConnection; i++) {
      calls.push(client.hold({ id: '' }, new Metadata(), { deadline }, onEnd));
    }
  }
  return {
    async cancel() {
      const start = performance.now();
      for (const call of calls) {
        call.cancel();
      }
      return { start, end: performance.now() };
    },
    callOnEach: () => callOnEach(clients),
    close: async () => clients.forEach((client) => client.close()),
  };
};

export function openClients({ address, connections }: Crowd): ChainClient[] {
  return Array.from(
    { length: connections },
    () => new ChainClient(address, credentials.createInsecure(), channelOptions),
  );
}

export async function callOnEach(clients: readonly ChainClient[]): Promise<void> {
  await Promise.all(
    clients.map(
      (client) =>
        new Promise<void>((resolve, reject) => {
          client.hold({ id: 'answer' }, (error) => (error === null ? resolve() : reject(error)));
        }),
    ),
  );
}
