import { createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { OrdersClient } from '../generated/shop/v1/orders.js';
import { UsersClient } from '../generated/shop/v1/users.js';
import { Frontend } from './frontend.js';

export interface FrontendSettings {
  usersAddress: string | undefined;
  ordersAddress: string | undefined;
}

export function frontendContainer({ usersAddress, ordersAddress }: FrontendSettings): Container {
  const container = new Container();
  const options = {
    metadata: { caller: 'frontend' },
    // Deadline and cancellation go along anyway; `true` would do for them alone.
    enableCallContextPropagation: { metadata: ['trace-id'] },
  };
  createGrpcClient(container, UsersClient, { address: usersAddress, ...options });
  createGrpcClient(container, OrdersClient, { address: ordersAddress, ...options });
  container.bind(Frontend).toSelf().inSingletonScope();
  return container;
}
