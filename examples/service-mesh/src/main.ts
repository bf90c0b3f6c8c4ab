import 'reflect-metadata';
import { GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { clientContainer } from './client.js';
import { HealthClient, HealthCheckResponse_ServingStatus as Serving } from './generated/grpc/health/v1/health.js';
import { CheckoutClient } from './generated/store/v1/checkout.js';
import { Mesh } from './mesh/mesh.js';
import { Orders } from './orders.js';
import { leaveWithAnOrderUnderWay, placeImpatientOrders, placeOrdersWhileAnInstanceDies } from './scenes.js';
import { summary } from './summary.js';

const mesh = new Mesh(console.log);
try {
  process.exitCode = await play();
} finally {
  await mesh.endAll('SIGKILL');
}

/** Resolves to the exit code. */
async function play(): Promise<number> {
  const client = clientContainer(await mesh.open());
  await using factory = client.get(GrpcClientFactory);
  await factory.waitForReady();
  const { status } = await getGrpcClient(client, HealthClient).check({ service: '' });
  console.log(`--- checkout is ${Serving[status]}; it calls eu-1 and eu-2, us, and a tenant's acme`);

  const orders = new Orders(getGrpcClient(client, CheckoutClient));
  const placed = await placeOrdersWhileAnInstanceDies(mesh, orders);
  console.log('--- three customers wait for 400 ms each, for what takes 10 s');
  const impatient = await placeImpatientOrders(mesh, orders);
  const leaving = await leaveWithAnOrderUnderWay(mesh, orders, client);
  const exitCodes = [leaving.exitCode, ...(await mesh.endAll('SIGTERM'))];

  const { text, broken } = summary({ placed, impatient, leaving, exitCodes });
  console.log(['', ...text, ...broken.map((expectation) => `NOT SO: ${expectation}`)].join('\n'));
  return broken.length === 0 ? 0 : 1;
}
