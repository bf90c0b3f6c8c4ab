import { once } from 'node:events';
import { promisify } from 'node:util';
import {
  connectivityState,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { createGrpcChannel, createGrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Container } from 'inversify';
import {
  HealthClient,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../dist/generated/grpc/health/v1/health.js';
import { CheckoutClient } from '../../dist/generated/store/v1/checkout.js';
import { type Reservation, type ReserveRequest, StockService } from '../../dist/generated/store/v1/stock.js';
import { ServiceProcess } from '../../dist/mesh/service-process.js';

// Each test starts a process, on a machine that may run as many test files as it has cores.
jest.setTimeout(30_000);

const PATIENCE_MS = 20_000;

/** Answers when the test says so. */
class Stock {
  readonly calls: Array<ServerUnaryCall<ReserveRequest, Reservation>> = [];
  private readonly arrivals: Array<() => void> = [];
  private readonly answers: Array<sendUnaryData<Reservation>> = [];
  private readonly server = new Server();
  private isOpen = false;

  listen(): Promise<number> {
    this.server.addService(StockService, {
      reserve: (call: ServerUnaryCall<ReserveRequest, Reservation>, callback: sendUnaryData<Reservation>) => {
        this.calls.push(call);
        this.answers.push(callback);
        this.arrivals.shift()?.();
        if (this.isOpen) {
          this.open();
        }
      },
    });
    return promisify(this.server.bindAsync.bind(this.server))('127.0.0.1:0', ServerCredentials.createInsecure());
  }

  nextCall(): Promise<void> {
    return new Promise((resolve) => this.arrivals.push(resolve));
  }

  /** From now on, and those that wait. */
  open(): void {
    this.isOpen = true;
    this.answers.splice(0).forEach((answer) => answer(null, { reservedBy: 'the test' }));
  }

  close(): void {
    this.server.forceShutdown();
  }
}

let europe: Stock;
let us: Stock;
let checkout: ServiceProcess;
let client: Container;

async function start(env: Record<string, string>): Promise<void> {
  checkout = new ServiceProcess(
    'checkout',
    'checkout',
    { ...env, EUROPE: `127.0.0.1:${await europe.listen()}`, US: `127.0.0.1:${await us.listen()}` },
    () => {},
  );
  client = new Container();
  const address = await checkout.address;
  createGrpcChannel(client, 'checkout', { address, credentials: credentials.createInsecure() });
  createGrpcClient(client, CheckoutClient, { channel: 'checkout', timeoutMs: PATIENCE_MS });
  createGrpcClient(client, HealthClient, { channel: 'checkout', timeoutMs: PATIENCE_MS });
}

const placeOrder = () =>
  getGrpcClient(client, CheckoutClient).placeOrder({ orderId: '1', article: 'a lamp', workMs: 0 });

const health = () => getGrpcClient(client, HealthClient).watch({ service: '' });

/** Its connections are told when the server takes no new calls. */
function untilDraining(): Promise<void> {
  const channel = client.get(GrpcClientFactory).getChannel('checkout');
  const watch = promisify(channel.watchConnectivityState.bind(channel));
  return watch(connectivityState.READY, Date.now() + PATIENCE_MS);
}

beforeEach(() => {
  europe = new Stock();
  us = new Stock();
});

afterEach(async () => {
  await checkout.end('SIGKILL');
  await client.get(GrpcClientFactory).close({ cancelCalls: true });
  europe.close();
  us.close();
});

describe('at SIGTERM', () => {
  test('the server is NOT_SERVING first, and serves those who have not noticed', async () => {
    await start({ NOTICE_MS: '2000', DRAIN_LIMIT_MS: '10000' });
    europe.open();
    us.open();
    let exited: Promise<number | null> | undefined;
    const seen: string[] = [];

    for await (const { status: serving } of health()) {
      seen.push(Serving[serving]);
      if (serving === Serving.NOT_SERVING) break;
      exited = checkout.end('SIGTERM');
    }

    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await placeOrder()).toEqual({ reservedBy: ['the test', 'the test'] });
    expect(await exited).toBe(0);
  });

  test('a call under way finishes, with child calls that it starts only then; a new one is refused', async () => {
    await start({ NOTICE_MS: '0', DRAIN_LIMIT_MS: '20000' });
    us.open();
    const arrived = europe.nextCall();
    const underWay = placeOrder();
    await arrived;

    const exited = checkout.end('SIGTERM');
    await untilDraining();
    await expect(placeOrder()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(us.calls).toHaveLength(0);
    europe.open();

    expect(await underWay).toEqual({ reservedBy: ['the test', 'the test'] });
    expect(us.calls).toHaveLength(1);
    expect(await exited).toBe(0);
  });

  test('what hangs is cut at the limit: calls, whose clients see CANCELLED, their child calls, open watches, timers', async () => {
    const holdsTheProcess = '--import=data:text/javascript,setInterval(()=>{},1e6)';
    await start({ NOTICE_MS: '0', DRAIN_LIMIT_MS: '500', NODE_OPTIONS: holdsTheProcess });
    const arrived = europe.nextCall();
    const hanging = [placeOrder(), readToTheEnd(health())];
    await arrived;
    const childCancelled = once(europe.calls[0]!, 'cancelled');

    const startedAt = performance.now();
    const exited = checkout.end('SIGTERM');

    const outcomes = await Promise.allSettled(hanging);
    // Timers are up to 1 ms early.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(499);
    const cancelled = { status: 'rejected', reason: expect.objectContaining({ code: status.CANCELLED }) };
    expect(outcomes).toEqual([cancelled, cancelled]);
    await childCancelled;
    expect(await exited).toBe(0);
  });
});

async function readToTheEnd(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
