import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { isFresh } from './fresh-port.js';

/** A TCP proxy whose connections can be cut: a client that vanishes without a word. */
export interface TcpProxy extends AsyncDisposable {
  readonly address: string;
  /** Destroys every connection, on both sides. */
  readonly cut: () => void;
  /** Holds back whatever the server sends from now on. */
  readonly stallReplies: () => void;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  // Without it each small frame waits for the acknowledgement of the one before, 40 ms.
  const noDelay = true;
  const server = createServer({ noDelay }, (downstream) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay });
    upstreams.add(upstream);
    for (const [from, to] of [
      [downstream, upstream],
      [upstream, downstream],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  let port = await listen(server);
  while (!isFresh(port)) {
    server.close();
    await once(server, 'close');
    port = await listen(server);
  }
  const cut = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  return {
    address: `127.0.0.1:${port}`,
    cut,
    stallReplies() {
      for (const upstream of upstreams) {
        upstream.unpipe().pause();
      }
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
