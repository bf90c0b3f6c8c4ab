import type { Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

type Injector = ReturnType<Server['createConnectionInjector']>;

/** The connections that grpc-js serves. */
export class GrpcConnections {
  private readonly injector: Injector;

  constructor(server: Server) {
    // The connections come with their TLS done: to grpc-js they look like plain ones.
    this.injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  readonly take = (socket: Socket): void => {
    this.injector.injectConnection(socket);
  };

  /** Sends GOAWAY; connections close with their last call. */
  drain(): void {
    this.injector.destroy();
  }

  /** Cancels the calls that are left, after the timers that are due. */
  cut(): void {
    this.injector.drain(0);
  }
}
