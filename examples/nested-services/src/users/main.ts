import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { OrdersClient } from '../generated/shop/v1/orders.js';
import { UsersService } from '../generated/shop/v1/users.js';
import { serve } from '../shop/serve.js';
import { withoutPropagation } from '../shop/without-propagation.js';
import { usersContainer } from './container.js';
import { Users } from './users.js';

const container = usersContainer({
  ordersAddress: process.env.ORDERS_ADDRESS,
});
if (process.env.PROPAGATE === 'no') {
  withoutPropagation(container, OrdersClient);
}
await container.get(GrpcClientFactory).waitForReady();

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, container, UsersService, Users);
await serve(server);
