import 'reflect-metadata';
import type { UnaryCall } from '@grpc-di/client-factory';
import {
  type CallContextPropagationOptions,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RelayReply, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { Container } from 'inversify';

/** A gRPC server to call, and an injected client of it. */
export interface LeafHop extends AsyncDisposable {
  readonly leaf: RunningLeaf;
  call(caseId: string): UnaryCall<RelayReply>;
}

export async function startLeafHop(
  enableCallContextPropagation: true | CallContextPropagationOptions = true,
): Promise<LeafHop> {
  const leaf = await startLeaf();
  const container = new Container();
  createGrpcClient(container, LeafClient, { address: leaf.address, enableCallContextPropagation });
  const client: GrpcClient<LeafClient> = getGrpcClient(container, LeafClient);
  return {
    leaf,
    call: (caseId) => client.unary({ id: caseId, script: '', path: [] }, { metadata: { [CASE_KEY]: caseId } }),
    async [Symbol.asyncDispose]() {
      await container.get(GrpcClientFactory).close({ cancelCalls: true });
      await leaf[Symbol.asyncDispose]();
    },
  };
}
