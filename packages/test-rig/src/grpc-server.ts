import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { isFresh } from './fresh-port.js';

/** A real grpc-js server on a loopback port of its own. */
export interface RunningServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  readonly server: Server;
}

export async function startServer(
  configure: (server: Server) => void,
  options: ServerOptions = {},
  serverCredentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<RunningServer> {
  const server = new Server(options);
  configure(server);
  let port = await bind(server, serverCredentials);
  while (!isFresh(port)) {
    server.unbind(`127.0.0.1:${port}`);
    port = await bind(server, serverCredentials);
  }
  return {
    address: `127.0.0.1:${port}`,
    port,
    server,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function bind(server: Server, serverCredentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', serverCredentials, (error, port) => {
      if (error === null) {
        resolve(port);
      } else {
        reject(error);
      }
    });
  });
}
