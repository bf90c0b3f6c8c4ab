import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { HotelsService } from '../generated/travel/v1/hotels.js';
import { serve } from '../processes/serve.js';
import { hotelsContainer } from './container.js';
import { Hotels } from './hotels.js';

const container = hotelsContainer(process.env.PRICES_ADDRESS);
await container.get(GrpcClientFactory).waitForReady();

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, container, HotelsService, Hotels);
await serve(server);
