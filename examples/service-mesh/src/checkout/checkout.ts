import { status } from '@grpc/grpc-js';
import { type GrpcClient, GrpcClientFactory } from '@grpc-di/client-factory';
import type { GrpcService } from '@grpc-di/server';
import { inject, injectable, named } from 'inversify';
import type { CheckoutServer, Order, PlaceOrderRequest } from '../generated/store/v1/checkout.js';
import { StockClient } from '../generated/store/v1/stock.js';
import { RequestLog } from './request-log.js';

/** Where the tenants' own stocks are: known at run time only. */
export class TenantAddresses extends Map<string, string> {}

/** Made for each request, as `addGrpcService` resolves it; the clients are cheap, and their channels stay. */
@injectable()
export class Checkout implements GrpcService<CheckoutServer> {
  constructor(
    @inject(StockClient) @named('eu') private readonly europe: GrpcClient<StockClient>,
    @inject(StockClient) @named('us') private readonly us: GrpcClient<StockClient>,
    @inject(GrpcClientFactory) private readonly clients: GrpcClientFactory,
    @inject(TenantAddresses) private readonly tenants: TenantAddresses,
    @inject(RequestLog) private readonly log: RequestLog,
  ) {}

  async placeOrder({ orderId, article, tenant, workMs }: PlaceOrderRequest): Promise<Order> {
    try {
      const stock = tenant === undefined ? this.europe : this.stockOf(tenant);
      const ordered = await stock.reserve({ orderId, article, workMs });
      const paper = await this.us.reserve({ orderId, article: 'wrapping paper', workMs: 0 });
      return { reservedBy: [ordered.reservedBy, paper.reservedBy] };
    } finally {
      this.log.write(orderId);
    }
  }

  /**
   * With all options of Europe's, but its address. Channels are cached by address. A client that is made at run time
   * belongs to no request: its interceptors have a log of their own.
   */
  private stockOf(tenant: string): GrpcClient<StockClient> {
    const address = this.tenants.get(tenant);
    if (address === undefined) {
      const details = `There is no tenant ${tenant}`;
      throw Object.assign(new Error(details), { code: status.NOT_FOUND, details });
    }
    this.log.add(`for ${tenant}`);
    return this.clients.createClient(StockClient, 'eu', { address });
  }
}
