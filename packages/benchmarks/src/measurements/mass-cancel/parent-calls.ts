import { credentials, Metadata, propagate, Server, type ServerUnaryCall } from '@grpc/grpc-js';
import { listen } from '../../contestants/grpc-js-frontend.js';
import { ChainClient, ChainService } from '../../generated/bench/v1/bench.js';
import { callOnEach, openClients } from './bare-calls.js';
import { channelOptions, type Span, type StartCalls, timeoutMs } from './outstanding-calls.js';

/** Children of a served call, by grpc-js's `parent`: cancelled by listeners of that call, when its client cancels it. */
export const startParentCalls: StartCalls = async (crowd, onEnd) => {
  const clients = openClients(crowd);
  let cancelled!: (span: Span) => void;
  const span = new Promise<Span>((resolve) => {
    cancelled = resolve;
  });

  const server = new Server();
  const started = new Promise<void>((resolve) => {
    server.addService(ChainService, {
      hold(parent: ServerUnaryCall<unknown, unknown>) {
        // No warning for each: so many listeners are what is measured.
        parent.setMaxListeners(0);
        let start = 0;
        parent.on('cancelled', () => {
          start = performance.now();
        });
        const options = { parent, propagate_flags: propagate.DEFAULTS };
        for (const client of clients) {
          for (let i = 0; i < crowd.callsPerConnection; i++) {
            client.hold({ id: '' }, new Metadata(), options, onEnd);
          }
        }
        parent.on('cancelled', () => cancelled({ start, end: performance.now() }));
        resolve();
      },
    });
  });
  const port = await listen(server);
  const caller = new ChainClient(`127.0.0.1:${port}`, credentials.createInsecure(), channelOptions);
  const call = caller.hold({ id: '' }, new Metadata(), { deadline: Date.now() + timeoutMs }, () => {});
  await started;

  return {
    cancel() {
      call.cancel();
      return span;
    },
    callOnEach: () => callOnEach(clients),
    async close() {
      caller.close();
      server.forceShutdown();
      clients.forEach((client) => client.close());
    },
  };
};
