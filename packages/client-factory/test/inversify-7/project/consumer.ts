import 'reflect-metadata';
import { createGrpcClient, type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { LeafClient } from '@grpc-di/test-rig';
import { Container, inject, injectable, named } from 'inversify';

// What a project with inversify 7 writes; declarations.test.ts has tsc check it, and nothing runs it.

@injectable()
export class Consumer {
  constructor(
    @inject(LeafClient) readonly leaf: GrpcClient<LeafClient>,
    @inject(LeafClient) @named('eu') readonly european: GrpcClient<LeafClient>,
    @inject(GrpcClientFactory) readonly factory: GrpcClientFactory,
  ) {}
}

export async function composed(): Promise<string> {
  const container = new Container();
  createGrpcClient(container, LeafClient, { address: (given) => given.get<string>('address') });
  container.bind(Consumer).toSelf();
  const leaf: GrpcClient<LeafClient> = getGrpcClient(container, LeafClient);
  const reply = await leaf.unary({ id: '', script: '', path: [] });
  // Of inversify 7 alone: otherwise this is the wrong one.
  container.unbindSync(LeafClient);
  // @ts-expect-error no container
  createGrpcClient({}, LeafClient);
  return reply.text;
}
