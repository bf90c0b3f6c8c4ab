import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { OrdersService } from '../generated/shop/v1/orders.js';
import { serve } from '../shop/serve.js';
import { ordersContainer } from './container.js';
import { Orders } from './orders.js';

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, ordersContainer(), OrdersService, Orders);
await serve(server);
