import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { RatesService } from '../generated/travel/v1/rates.js';
import { serve } from '../processes/serve.js';
import { ratesContainer } from './container.js';
import { Rates } from './rates.js';

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, ratesContainer(), RatesService, Rates);
await serve(server);
