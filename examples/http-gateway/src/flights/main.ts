import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { FlightsService } from '../generated/travel/v1/flights.js';
import { serve } from '../processes/serve.js';
import { flightsContainer } from './container.js';
import { Flights } from './flights.js';

const container = flightsContainer(process.env.PRICES_ADDRESS);
await container.get(GrpcClientFactory).waitForReady();

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, container, FlightsService, Flights);
await serve(server);
