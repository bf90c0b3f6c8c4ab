import type { GrpcClient } from '@grpc-di/client-factory';
import type { GrpcService } from '@grpc-di/server';
import { inject, injectable } from 'inversify';
import { reported } from '../calls/reported.js';
import type { FindHotelsRequest, Hotel, HotelList, HotelsServer } from '../generated/travel/v1/hotels.js';
import { PricesClient } from '../generated/travel/v1/prices.js';

const OFFERS = [
  { name: 'Hotel Miramar', currency: 'EUR' },
  { name: 'Hotel Plaza', currency: 'USD' },
];

/** One after the other: what has not begun when the call is over never begins. */
@injectable()
export class Hotels implements GrpcService<HotelsServer> {
  constructor(@inject(PricesClient) private readonly prices: GrpcClient<PricesClient>) {}

  @reported
  async findHotels({ city }: FindHotelsRequest): Promise<HotelList> {
    const hotels: Hotel[] = [];
    for (const { name, currency } of OFFERS) {
      const price = await this.prices.getPrice({ item: `${name} in ${city}`, currency });
      hotels.push({ name, price });
    }
    return { hotels };
  }
}
