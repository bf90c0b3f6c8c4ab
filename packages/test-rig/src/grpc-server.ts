import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';

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
): Promise<RunningServer> {
  const server = new Server(options);
  configure(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) {
        resolve(bound);
      } else {
        reject(error);
      }
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    port,
    server,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}
