import { createGrpcChannel, createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { HealthClient } from './generated/grpc/health/v1/health.js';
import { CheckoutClient } from './generated/store/v1/checkout.js';

/** Two services of one server, over one connection. Nothing to propagate: deadlines begin here. */
export function clientContainer(checkoutAddress: string): Container {
  const container = new Container();
  createGrpcChannel(container, 'checkout', { address: checkoutAddress });
  createGrpcClient(container, CheckoutClient, { channel: 'checkout', timeoutMs: 4_000 });
  createGrpcClient(container, HealthClient, {
    channel: 'checkout',
    timeoutMs: 1_000,
    methods: { watch: { timeoutMs: 10_000 } },
  });
  return container;
}
