import 'reflect-metadata';
import { createGrpcClient, type GrpcClient, GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor, type GrpcService } from '@grpc-di/server';
import {
  CASE_KEY,
  LeafClient,
  type RelayReply,
  type RelayRequest,
  type RelayServer,
  RelayService,
  type RunningLeaf,
  type RunningServer,
  startLeaf,
  startServer,
} from '@grpc-di/test-rig';
import { Container, inject, injectable } from 'inversify';

/** Answers with what the leaf answers: a second hop, behind whatever is tested. */
@injectable()
class Relay implements Pick<GrpcService<RelayServer>, 'unary' | 'serverStream'> {
  constructor(@inject(LeafClient) private readonly leaf: GrpcClient<LeafClient>) {}

  unary(request: RelayRequest): Promise<RelayReply> {
    return this.leaf.unary(request, { metadata: { [CASE_KEY]: request.id } });
  }

  serverStream(request: RelayRequest): AsyncIterable<RelayReply> {
    return this.leaf.serverStream(request, { metadata: { [CASE_KEY]: request.id } });
  }
}

export interface RelayHop extends AsyncDisposable {
  readonly relay: RunningServer;
  /** The deepest service. */
  readonly leaf: RunningLeaf;
}

export async function startRelayHop(): Promise<RelayHop> {
  const leaf = await startLeaf();
  const container = new Container();
  createGrpcClient(container, LeafClient, { address: leaf.address, enableCallContextPropagation: true });
  const relay = await startServer((server) => addGrpcService(server, container, RelayService, Relay), {
    interceptors: [callContextInterceptor()],
  });
  return {
    relay,
    leaf,
    async [Symbol.asyncDispose]() {
      await container.get(GrpcClientFactory).close({ cancelCalls: true });
      await relay[Symbol.asyncDispose]();
      await leaf[Symbol.asyncDispose]();
    },
  };
}
