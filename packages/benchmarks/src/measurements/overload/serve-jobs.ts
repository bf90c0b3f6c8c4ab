import { Server, ServerCredentials } from '@grpc/grpc-js';
import { addGrpcService, callContextInterceptor, type GrpcService } from '@grpc-di/server';
import type { Container, Newable } from 'inversify';
import { type JobsServer, JobsService } from '../../generated/overload/v1/overload.js';

/** A service that runs. */
export interface RunningService {
  /** For clients: a list of addresses, see {@link serveJobs}. */
  readonly address: string;
  /** Ends running calls, too. */
  close(): Promise<void>;
}

/**
 * Ports of one server: Node's HTTP/2 server closes a connection whose client resets more than some 1,000 streams, and
 * 33 a second (CVE-2023-44487). Clients that give up more often take turns between connections.
 */
const ports = 16;

export async function serveJobs(
  container: Container,
  implementation: Newable<GrpcService<JobsServer>>,
): Promise<{ address: string; server: Server }> {
  const server = new Server({ interceptors: [callContextInterceptor()] });
  addGrpcService(server, container, JobsService, implementation);
  const bound = await Promise.all(Array.from({ length: ports }, () => bind(server)));
  return { address: `ipv4:${bound.map((port) => `127.0.0.1:${port}`).join(',')}`, server };
}

function bind(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error) {
        reject(error);
      } else {
        resolve(port);
      }
    });
  });
}
