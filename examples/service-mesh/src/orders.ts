import { type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcCallOptions, GrpcClient } from '@grpc-di/client-factory';
import type { CheckoutClient } from './generated/store/v1/checkout.js';

export interface OrderPlaced {
  readonly outcome: string;
  readonly ms: number;
  /** The instances that took part. */
  readonly reservedBy: readonly string[];
}

/** A customer. */
export class Orders {
  private count = 0;

  constructor(private readonly checkout: GrpcClient<CheckoutClient>) {}

  /** Never rejects: what became of it is told. */
  async place(request: { tenant?: string; workMs: number }, options?: GrpcCallOptions): Promise<OrderPlaced> {
    const startedAt = performance.now();
    const told = (outcome: string, reservedBy: string[]): OrderPlaced => ({
      outcome,
      reservedBy,
      ms: Math.round(performance.now() - startedAt),
    });
    try {
      const orderId = `order-${++this.count}`;
      const { reservedBy } = await this.checkout.placeOrder({ orderId, article: 'a lamp', ...request }, options);
      return told('OK', reservedBy);
    } catch (error) {
      return told(status[(error as ServiceError).code] ?? String(error), []);
    }
  }
}
