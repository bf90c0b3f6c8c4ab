import { createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { tellCaller } from '../calls/caller.js';
import { FlightsClient } from '../generated/travel/v1/flights.js';
import { HotelsClient } from '../generated/travel/v1/hotels.js';
import type { ServiceAddresses } from '../processes/start-services.js';
import { Trips } from './trips.js';

export function gatewayContainer({ flights, hotels }: ServiceAddresses): Container {
  const container = new Container();
  const options = { enableCallContextPropagation: true, interceptors: [tellCaller] };
  createGrpcClient(container, FlightsClient, { address: flights, ...options });
  createGrpcClient(container, HotelsClient, { address: hotels, ...options });
  container.bind(Trips).toSelf().inSingletonScope();
  return container;
}
