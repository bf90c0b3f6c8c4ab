import { setTimeout } from 'node:timers/promises';
import type { GrpcService, ServerCallContext } from '@grpc-di/server';
import { injectable } from 'inversify';
import type {
  GetOrderRequest,
  ListOrdersRequest,
  Order,
  OrderList,
  OrdersServer,
  WatchOrdersRequest,
} from '../generated/shop/v1/orders.js';
import { traced } from '../tracing/traced.js';

/** The deepest service. It calls nobody: its work stands for a database's. */
@injectable()
export class Orders implements GrpcService<OrdersServer> {
  @traced
  async getOrder({ id, workMs }: GetOrderRequest, context: ServerCallContext): Promise<Order> {
    await work(workMs, context);
    return { id, article: 'A chair' };
  }

  @traced
  async listOrders({ userId, workMs }: ListOrdersRequest, context: ServerCallContext): Promise<OrderList> {
    await work(workMs, context);
    return { orders: [{ id: `${userId}-1`, article: 'A table' }] };
  }

  @traced
  async *watchOrders({ userId, workMs }: WatchOrdersRequest, context: ServerCallContext): AsyncIterable<Order> {
    for (let number = 1; ; number++) {
      await work(workMs, context);
      yield { id: `${userId}-${number}`, article: 'A lamp' };
    }
  }
}

/** Stops in the middle when its call is over: all that a service has to do is to pass the signal on. */
async function work(durationMs: number, context: ServerCallContext): Promise<void> {
  try {
    await setTimeout(durationMs, undefined, { signal: context.signal });
  } catch (error) {
    // Node's AbortError does not say why; this does.
    context.throwIfCancelled();
    throw error;
  }
}
