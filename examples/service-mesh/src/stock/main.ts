import 'reflect-metadata';
import { Server } from '@grpc/grpc-js';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import { Container } from 'inversify';
import { StockService } from '../generated/store/v1/stock.js';
import { serve } from '../serving/serve.js';
import { Stock } from './stock.js';

const container = new Container();
container.bind(Stock).toSelf().inSingletonScope();

const server = new Server({ interceptors: [callContextInterceptor()] });
addGrpcService(server, container, StockService, Stock);
await serve(server);
