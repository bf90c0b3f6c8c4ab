import { status } from '@grpc/grpc-js';
import type { GrpcClient } from '@grpc-di/client-factory';
import type { GrpcService, ServerCallContext } from '@grpc-di/server';
import { inject, injectable } from 'inversify';
import { type Order, OrdersClient, type WatchOrdersRequest } from '../generated/shop/v1/orders.js';
import type { GetUserRequest, User, UsersServer } from '../generated/shop/v1/users.js';
import { traced } from '../tracing/traced.js';

@injectable()
export class Users implements GrpcService<UsersServer> {
  constructor(@inject(OrdersClient) private readonly orders: GrpcClient<OrdersClient>) {}

  @traced
  async getUser({ userId, workMs, ordersTimeoutMs }: GetUserRequest, context: ServerCallContext): Promise<User> {
    try {
      const { orders } = await this.orders.listOrders({ userId, workMs }, { timeoutMs: ordersTimeoutMs });
      return { name: userId, orders };
    } catch (error) {
      context.throwIfCancelled();
      if (ordersTimeoutMs !== undefined && (error as { code?: unknown }).code === status.DEADLINE_EXCEEDED) {
        // Our own deadline, not our caller's: it still waits, and a user without orders is better than none.
        return { name: userId, orders: [] };
      }
      throw error;
    }
  }

  @traced
  watchOrders(request: WatchOrdersRequest): AsyncIterable<Order> {
    return this.orders.watchOrders(request);
  }
}
