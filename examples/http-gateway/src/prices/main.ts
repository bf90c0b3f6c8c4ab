import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { PricesService } from '../generated/travel/v1/prices.js';
import { serve } from '../processes/serve.js';
import { pricesContainer } from './container.js';
import { Prices } from './prices.js';

const container = pricesContainer(process.env.RATES_ADDRESS);
await container.get(GrpcClientFactory).waitForReady();

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, container, PricesService, Prices);
await serve(server);
