import { createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { tellCaller } from '../calls/caller.js';
import { PricesClient } from '../generated/travel/v1/prices.js';
import { Hotels } from './hotels.js';

export function hotelsContainer(pricesAddress: string | undefined): Container {
  const container = new Container();
  createGrpcClient(container, PricesClient, {
    address: pricesAddress,
    enableCallContextPropagation: true,
    interceptors: [tellCaller],
  });
  container.bind(Hotels).toSelf().inSingletonScope();
  return container;
}
