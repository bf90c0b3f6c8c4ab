import type { GrpcClient } from '@grpc-di/client-factory';
import type { GrpcService } from '@grpc-di/server';
import { inject, injectable } from 'inversify';
import { reported } from '../calls/reported.js';
import type { FindFlightsRequest, FlightList, FlightsServer } from '../generated/travel/v1/flights.js';
import { PricesClient } from '../generated/travel/v1/prices.js';

const OFFERS = [
  { airline: 'Heron', currency: 'EUR' },
  { airline: 'Gannet', currency: 'GBP' },
  { airline: 'Pelican', currency: 'USD' },
];

/** No word of deadlines or cancellation: the client that it is given takes care of them. */
@injectable()
export class Flights implements GrpcService<FlightsServer> {
  constructor(@inject(PricesClient) private readonly prices: GrpcClient<PricesClient>) {}

  @reported
  async findFlights({ city }: FindFlightsRequest): Promise<FlightList> {
    const flights = OFFERS.map(async ({ airline, currency }) => {
      const price = await this.prices.getPrice({ item: `${airline} to ${city}`, currency });
      return { airline, price };
    });
    return { flights: await Promise.all(flights) };
  }
}
