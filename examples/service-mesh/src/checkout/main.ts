import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { CheckoutService } from '../generated/store/v1/checkout.js';
import { serve } from '../serving/serve.js';
import { Checkout } from './checkout.js';
import { checkoutContainer } from './container.js';

const container = checkoutContainer({
  europe: process.env.EUROPE!,
  us: process.env.US!,
  tenants: JSON.parse(process.env.TENANTS ?? '{}') as Record<string, string>,
});
container.get(GrpcClientFactory).validate();

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, container, CheckoutService, Checkout);
await serve(server, container.get(GrpcClientFactory));
