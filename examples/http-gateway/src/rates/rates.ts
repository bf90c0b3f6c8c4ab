import { status } from '@grpc/grpc-js';
import type { GrpcService } from '@grpc-di/server';
import { injectable } from 'inversify';
import { reported } from '../calls/reported.js';
import type { GetRateRequest, Rate, RatesServer } from '../generated/travel/v1/rates.js';
import { work } from '../work.js';

const RATES = new Map([
  ['EUR', { euro: 1, workMs: 400 }],
  ['GBP', { euro: 1.15, workMs: 900 }],
  ['USD', { euro: 0.92, workMs: 1700 }],
]);

/** The deepest service. It calls nobody, and some of its answers take long. */
@injectable()
export class Rates implements GrpcService<RatesServer> {
  @reported
  async getRate({ currency }: GetRateRequest): Promise<Rate> {
    const rate = RATES.get(currency);
    if (rate === undefined) {
      const details = `There is no rate for ${currency}`;
      throw Object.assign(new Error(details), { code: status.NOT_FOUND, details });
    }
    await work(rate.workMs);
    return { euro: rate.euro };
  }
}
