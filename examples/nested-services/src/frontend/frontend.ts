import type { GrpcClient } from '@grpc-di/client-factory';
import type { GrpcService } from '@grpc-di/server';
import { inject, injectable } from 'inversify';
import type { FrontendServer, GetOrdersRequest, GetProfileRequest, Profile } from '../generated/shop/v1/frontend.js';
import { type Order, type OrderList, OrdersClient, type WatchOrdersRequest } from '../generated/shop/v1/orders.js';
import { UsersClient } from '../generated/shop/v1/users.js';
import { traced } from '../tracing/traced.js';

/** No method says a word of deadlines or cancellation: the clients that it is given take care of them. */
@injectable()
export class Frontend implements GrpcService<FrontendServer> {
  constructor(
    @inject(UsersClient) private readonly users: GrpcClient<UsersClient>,
    @inject(OrdersClient) private readonly orders: GrpcClient<OrdersClient>,
  ) {}

  @traced
  async getProfile(request: GetProfileRequest): Promise<Profile> {
    const { name, orders } = await this.users.getUser(request);
    return { greeting: `Hello ${name}`, orders };
  }

  @traced
  async getOrders({ orderIds, workMs }: GetOrdersRequest): Promise<OrderList> {
    return { orders: await Promise.all(orderIds.map((id) => this.orders.getOrder({ id, workMs }))) };
  }

  @traced
  watchOrders(request: WatchOrdersRequest): AsyncIterable<Order> {
    return this.users.watchOrders(request);
  }
}
