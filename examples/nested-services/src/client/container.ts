import { createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { FrontendClient } from '../generated/shop/v1/frontend.js';

/** The client serves no calls itself, so that there is nothing to propagate: deadlines begin here. */
export function clientContainer(frontendAddress: string): Container {
  const container = new Container();
  createGrpcClient(container, FrontendClient, { address: frontendAddress, metadata: { caller: 'client' } });
  return container;
}
