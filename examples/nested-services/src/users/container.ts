import { createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { OrdersClient } from '../generated/shop/v1/orders.js';
import { Users } from './users.js';

export interface UsersSettings {
  ordersAddress: string | undefined;
}

export function usersContainer({ ordersAddress }: UsersSettings): Container {
  const container = new Container();
  createGrpcClient(container, OrdersClient, {
    address: ordersAddress,
    metadata: { caller: 'users' },
    // Deadline and cancellation go along anyway; `true` would do for them alone.
    enableCallContextPropagation: { metadata: ['trace-id'] },
  });
  container.bind(Users).toSelf().inSingletonScope();
  return container;
}
