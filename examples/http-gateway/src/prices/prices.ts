import type { GrpcClient } from '@grpc-di/client-factory';
import type { GrpcService } from '@grpc-di/server';
import { inject, injectable } from 'inversify';
import { reported } from '../calls/reported.js';
import type { GetPriceRequest, Price, PricesServer } from '../generated/travel/v1/prices.js';
import { RatesClient } from '../generated/travel/v1/rates.js';
import { work } from '../work.js';

const LOOK_UP_MS = 300;

@injectable()
export class Prices implements GrpcService<PricesServer> {
  constructor(@inject(RatesClient) private readonly rates: GrpcClient<RatesClient>) {}

  @reported
  async getPrice({ item, currency }: GetPriceRequest): Promise<Price> {
    await work(LOOK_UP_MS);
    const { euro } = await this.rates.getRate({ currency });
    return { euro: Math.round(priceOf(item) * euro) };
  }
}

/** Any price will do. */
function priceOf(item: string): number {
  return 40 + ((item.length * 37) % 160);
}
