import { createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { tellCaller } from '../calls/caller.js';
import { RatesClient } from '../generated/travel/v1/rates.js';
import { Prices } from './prices.js';

export function pricesContainer(ratesAddress: string | undefined): Container {
  const container = new Container();
  createGrpcClient(container, RatesClient, {
    address: ratesAddress,
    enableCallContextPropagation: true,
    interceptors: [tellCaller],
  });
  container.bind(Prices).toSelf().inSingletonScope();
  return container;
}
