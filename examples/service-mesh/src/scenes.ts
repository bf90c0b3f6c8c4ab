import { setTimeout } from 'node:timers/promises';
import { connectivityState } from '@grpc/grpc-js';
import { GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import type { Container } from 'inversify';
import { HealthClient, HealthCheckResponse_ServingStatus as Serving } from './generated/grpc/health/v1/health.js';
import type { Mesh } from './mesh/mesh.js';
import type { OrderPlaced, Orders } from './orders.js';

const ORDERS_BEFORE_DEATH = 4;

/** Every fourth order is for a tenant. One of the two instances in Europe dies under the orders, when both have served some. */
export async function placeOrdersWhileAnInstanceDies(mesh: Mesh, orders: Orders): Promise<OrderPlaced[]> {
  const served = await placeUntilServedByBoth(orders);
  const placed: Array<Promise<OrderPlaced>> = [];
  for (let number = 1; number <= 20; number++) {
    // Those that the instance dies with must be in the middle of their work: no retry covers a response that has begun.
    const workMs = number <= ORDERS_BEFORE_DEATH ? 1_000 : 150;
    placed.push(orders.place({ tenant: number % 4 === 0 ? 'acme' : undefined, workMs }));
    if (number === ORDERS_BEFORE_DEATH) {
      console.log('--- eu-1 is killed');
      await mesh.end('eu-1', 'SIGKILL');
    }
    await setTimeout(50);
  }
  return [...served, ...(await Promise.all(placed))];
}

/** The first connection that is there gets all calls until the other one is there too. */
async function placeUntilServedByBoth(orders: Orders): Promise<OrderPlaced[]> {
  const placed: OrderPlaced[] = [];
  const seen = new Set<string>();
  while (!(seen.has('eu-1') && seen.has('eu-2')) && placed.length < 20) {
    const order = await orders.place({ workMs: 20 });
    placed.push(order);
    order.reservedBy.forEach((instance) => seen.add(instance));
  }
  return placed;
}

export interface Impatience {
  readonly placed: readonly OrderPlaced[];
  /** When the stock had stopped working on all of them. */
  readonly stoppedMs: number;
}

/** The stock would look for 10 s; the customers wait for 400 ms. */
export async function placeImpatientOrders(mesh: Mesh, orders: Orders): Promise<Impatience> {
  const startedAt = performance.now();
  const stopped = mesh.said('stopped looking', 3).then(() => Math.round(performance.now() - startedAt));
  const placed = await Promise.all([1, 2, 3].map(() => orders.place({ workMs: 10_000 }, { timeoutMs: 400 })));
  return { placed, stoppedMs: await stopped };
}

export interface Leaving {
  readonly underWay: OrderPlaced;
  readonly tooLate: OrderPlaced;
  readonly exitCode: number | null;
}

/** Checkout gets its SIGTERM with an order under way, which has a second stock still to ask. */
export async function leaveWithAnOrderUnderWay(mesh: Mesh, orders: Orders, client: Container): Promise<Leaving> {
  const underWay = orders.place({ workMs: 1_500 });
  let exitCode: Promise<number | null> | undefined;
  for await (const { status } of getGrpcClient(client, HealthClient).watch({ service: '' })) {
    console.log(`--- checkout is ${Serving[status]}`);
    if (status === Serving.NOT_SERVING) {
      break;
    }
    console.log('--- checkout gets SIGTERM');
    exitCode = mesh.end('checkout', 'SIGTERM');
  }
  await drained(client);
  const tooLate = await orders.place({ workMs: 0 });
  return { underWay: await underWay, tooLate, exitCode: await exitCode! };
}

/** A server that takes no new calls says so to its connections. */
function drained(client: Container): Promise<void> {
  const channel = client.get(GrpcClientFactory).getChannel('checkout');
  return new Promise((resolve, reject) => {
    channel.watchConnectivityState(connectivityState.READY, Date.now() + 5_000, (error) =>
      error === undefined ? resolve() : reject(error),
    );
  });
}
