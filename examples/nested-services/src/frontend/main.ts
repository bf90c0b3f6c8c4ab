import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { FrontendService } from '../generated/shop/v1/frontend.js';
import { OrdersClient } from '../generated/shop/v1/orders.js';
import { UsersClient } from '../generated/shop/v1/users.js';
import { serve } from '../shop/serve.js';
import { withoutPropagation } from '../shop/without-propagation.js';
import { frontendContainer } from './container.js';
import { Frontend } from './frontend.js';

const container = frontendContainer({
  usersAddress: process.env.USERS_ADDRESS,
  ordersAddress: process.env.ORDERS_ADDRESS,
});
if (process.env.PROPAGATE === 'no') {
  withoutPropagation(container, UsersClient, OrdersClient);
}
await container.get(GrpcClientFactory).waitForReady();

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, container, FrontendService, Frontend);
await serve(server);
