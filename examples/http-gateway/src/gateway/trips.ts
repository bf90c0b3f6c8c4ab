import type { GrpcClient } from '@grpc-di/client-factory';
import { inject, injectable } from 'inversify';
import { type Flight, FlightsClient } from '../generated/travel/v1/flights.js';
import { type Hotel, HotelsClient } from '../generated/travel/v1/hotels.js';

export interface Trip {
  city: string;
  flights: Flight[];
  hotels: Hotel[];
}

@injectable()
export class Trips {
  constructor(
    @inject(FlightsClient) private readonly flights: GrpcClient<FlightsClient>,
    @inject(HotelsClient) private readonly hotels: GrpcClient<HotelsClient>,
  ) {}

  async plan(city: string): Promise<Trip> {
    const [{ flights }, { hotels }] = await Promise.all([
      this.flights.findFlights({ city }),
      this.hotels.findHotels({ city }),
    ]);
    return { city, flights, hotels };
  }
}
