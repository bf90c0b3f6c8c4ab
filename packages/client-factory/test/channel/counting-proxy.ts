import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** A TCP proxy in front of a server, that knows which connections there are. */
export interface CountingProxy extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** How many connections were ever made. */
  readonly opened: number;
  /** Resolves as soon as none is open. */
  allClosed(): Promise<void>;
}

export async function startCountingProxy(targetPort: number): Promise<CountingProxy> {
  const events = new EventEmitter();
  let opened = 0;
  let open = 0;
  const server = createServer({ noDelay: true }, (downstream) => {
    opened++;
    open++;
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    downstream.pipe(upstream).pipe(downstream);
    upstream.on('error', () => downstream.destroy());
    downstream.on('error', () => upstream.destroy());
    downstream.on('close', () => {
      upstream.destroy();
      open--;
      events.emit('closed');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get opened() {
      return opened;
    },
    async allClosed() {
      while (open > 0) {
        await once(events, 'closed');
      }
    },
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}
