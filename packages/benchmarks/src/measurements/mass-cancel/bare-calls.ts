import { type CallOptions, type ClientUnaryCall, credentials, Metadata } from '@grpc/grpc-js';
import { ChainClient, type HoldReply } from '../../generated/bench/v1/bench.js';
import { type Crowd, channelOptions, type OutstandingCalls, type StartCalls, timeoutMs } from './outstanding-calls.js';

/** The floor: a grpc-js client, its deadline by hand, and a loop over `call.cancel()`. */
export const startBareCalls: StartCalls = (crowd, onEnd) =>
  startCalls(crowd, (client, options) => client.hold({ id: '' }, new Metadata(), options, onEnd));

/** The same with a promise for each call. */
export const startBarePromises: StartCalls = (crowd, onEnd) =>
  startCalls(crowd, (client, options) => {
    let call!: ClientUnaryCall;
    const reply = new Promise<HoldReply>((resolve, reject) => {
      call = client.hold({ id: '' }, new Metadata(), options, (error, held) =>
        error === null ? resolve(held) : reject(error),
      );
    });
    reply.then(() => onEnd(null), onEnd);
    return call;
  });

async function startCalls(
  crowd: Crowd,
  startCall: (client: ChainClient, options: CallOptions) => ClientUnaryCall,
): Promise<OutstandingCalls> {
  const clients = openClients(crowd);
  const calls: ClientUnaryCall[] = [];
  const deadline = Date.now() + timeoutMs;
  for (const client of clients) {
    for (let i = 0; i < crowd.callsPerConnection; i++) {
      calls.push(startCall(client, { deadline }));
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
}

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
