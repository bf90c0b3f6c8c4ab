import 'reflect-metadata';
import { promisify } from 'node:util';
import { createGrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { RelayClient, type RelayReply, type RelayRequest, RelayService, startServer } from '@grpc-di/test-rig';
import { Container } from 'inversify';

export type Relay = (request: RelayRequest) => Promise<RelayReply>;

/** A hosted gRPC service on a server of its own, and an injected client of it. */
export interface ServiceHop {
  readonly call: Relay;
  /** Resolves when no call is running; cuts none. */
  close(): Promise<void>;
}

/** @param metadata the names that the client copies from the context that it is called in */
export async function startServiceHop(work: Relay, metadata: string[]): Promise<ServiceHop> {
  class Service {
    unary(request: RelayRequest): Promise<RelayReply> {
      return work(request);
    }
  }
  const { unary } = RelayService;
  const { address, server } = await startServer(
    (configured) => addGrpcService(configured, new Container(), { unary }, Service),
    { interceptors: [callContextInterceptor()] },
  );
  const container = new Container();
  createGrpcClient(container, RelayClient, { address, enableCallContextPropagation: { metadata } });
  const client = getGrpcClient(container, RelayClient);
  return {
    call: (request) => client.unary(request),
    async close() {
      await container.get(GrpcClientFactory).close();
      await promisify(server.tryShutdown.bind(server))();
    },
  };
}
