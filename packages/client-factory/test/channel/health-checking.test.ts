import 'reflect-metadata';
import { once } from 'node:events';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { type ChannelOptions, type ServerWritableStream, status } from '@grpc/grpc-js';
import { createGrpcClient, type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { LeafClient, LeafService, type RunningServer, startServer, startTcpProxy } from '@grpc-di/test-rig';
import { afterEach, expect, test } from '@jest/globals';
import { service as HealthService } from 'grpc-health-check';
import { Container } from 'inversify';
import { answeringWith, REQUEST, serverOf } from '../registration/named-server.js';

// gRFC A17, against servers that say what they are told to of their health.

type Status = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
type WatchCall = ServerWritableStream<{ service: string }, { status: Status }>;

interface Backend {
  readonly server: RunningServer;
  /** The services that were asked for, one for each stream. */
  readonly asked: string[];
  readonly watches: Set<WatchCall>;
  /** Says it to all streams, and to later ones first. */
  say(status: Status | undefined): void;
  /** Resolves when the next stream is there. */
  watched(): Promise<void>;
}

const cleanUps: Array<() => PromiseLike<void>> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) {
    await cleanUp();
  }
});

/** @param says `undefined`: nothing, until it is told to; 'no health service': has none. */
async function startBackend(name: string, says: Status | undefined | 'no health service'): Promise<Backend> {
  const asked: string[] = [];
  const watches = new Set<WatchCall>();
  const waiting: Array<() => void> = [];
  let current = says as Status | undefined;
  const server = await startServer((grpcServer) => {
    grpcServer.addService(LeafService, answeringWith(name));
    if (says !== 'no health service') {
      grpcServer.addService(HealthService, {
        check: () => {},
        watch: (call: WatchCall) => {
          asked.push(call.request.service);
          watches.add(call);
          call.on('cancelled', () => watches.delete(call));
          if (current !== undefined) {
            call.write({ status: current });
          }
          for (const resolve of waiting.splice(0)) {
            resolve();
          }
        },
      });
    }
  });
  cleanUps.push(() => server[Symbol.asyncDispose]());
  return {
    server,
    asked,
    watches,
    say(newStatus) {
      current = newStatus;
      for (const call of watches) {
        if (newStatus !== undefined) {
          call.write({ status: newStatus });
        }
      }
    },
    watched: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      }),
  };
}

interface Connected {
  readonly leaf: GrpcClient<LeafClient>;
  readonly factory: GrpcClientFactory;
}

function connect(...backends: Array<Backend | string>): Connected {
  return connectWith({ 'grpc.use_local_subchannel_pool': 1 }, ...backends);
}

function connectWith(channelOptions: ChannelOptions, ...backends: Array<Backend | string>): Connected {
  const container = new Container();
  createGrpcClient(container, LeafClient, {
    address: `ipv4:${backends.map((to) => (typeof to === 'string' ? to : to.server.address)).join()}`,
    serviceConfig: {
      loadBalancingConfig: [{ round_robin: {} }],
      healthCheckConfig: { serviceName: 'grpc_di.test.v1.Leaf' },
    },
    channelOptions,
  });
  const factory = container.get(GrpcClientFactory);
  cleanUps.push(() => factory.close({ cancelCalls: true }));
  return { leaf: getGrpcClient(container, LeafClient), factory };
}

/** Calls until these servers, and no others, have answered several calls in a row. */
async function answeredBy(leaf: GrpcClient<LeafClient>, ...names: string[]): Promise<void> {
  for (;;) {
    const answers = new Set<string>();
    for (let i = 0; i < 8; i++) {
      answers.add(await serverOf(leaf).catch(() => 'none'));
    }
    if ([...answers].sort().join() === names.sort().join()) {
      return;
    }
  }
}

test('calls go to the servers that serve, from the first one on', async () => {
  const [a, b, c] = [
    await startBackend('a', 'SERVING'),
    await startBackend('b', 'NOT_SERVING'),
    await startBackend('c', 'SERVICE_UNKNOWN'),
  ];
  const { leaf } = connect(a, b, c);

  const answers = await Promise.all(Array.from({ length: 32 }, () => serverOf(leaf)));

  expect(new Set(answers)).toEqual(new Set(['a']));
  expect(a.asked).toEqual(['grpc_di.test.v1.Leaf']);
});

test('a server that stops serving is left out, until it serves again', async () => {
  const [a, b] = [await startBackend('a', 'SERVING'), await startBackend('b', 'SERVING')];
  const { leaf } = connect(a, b);
  await answeredBy(leaf, 'a', 'b');

  b.say('NOT_SERVING');
  await answeredBy(leaf, 'a');
  b.say('SERVING');
  await answeredBy(leaf, 'a', 'b');

  expect(b.asked).toHaveLength(1);
});

test('a server without a health service counts as healthy', async () => {
  const [a, b] = [await startBackend('a', 'NOT_SERVING'), await startBackend('b', 'no health service')];
  const { leaf } = connect(a, b);

  await answeredBy(leaf, 'b');
});

test('calls wait for the first word of a server, and fail where none serves, but for those that wait', async () => {
  const a = await startBackend('a', undefined);
  const { leaf } = connect(a);
  const watched = a.watched();
  const early = serverOf(leaf);
  await watched;

  a.say('SERVING');
  expect(await early).toBe('a');

  a.say('NOT_SERVING');
  await answeredBy(leaf, 'none');
  await expect(serverOf(leaf)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  const patient = leaf.unary(REQUEST, { waitForReady: true });
  a.say('SERVING');
  expect((await patient).text).toBe('a');
});

test('a server whose stream of health breaks is left out, and asked again after a while', async () => {
  const [a, b] = [await startBackend('a', 'SERVING'), await startBackend('b', 'SERVING')];
  const { leaf } = connect(a, b);
  await answeredBy(leaf, 'a', 'b');

  const again = b.watched();
  for (const call of b.watches) {
    call.emit('error', { code: status.INTERNAL, details: 'broken' });
  }
  await answeredBy(leaf, 'a');
  await again;

  await answeredBy(leaf, 'a', 'b');
  expect(b.asked).toHaveLength(2);
}, 30_000);

test('a connection that drops is watched anew when it is back, and counts for nothing until the first word', async () => {
  const a = await startBackend('a', 'SERVING');
  const proxy = await startTcpProxy(a.server.port);
  cleanUps.push(() => proxy[Symbol.asyncDispose]());
  const { leaf } = connect(proxy.address);
  await serverOf(leaf);

  a.say(undefined);
  const watched = a.watched();
  proxy.cut();
  await watched;
  const early = serverOf(leaf);
  await turnOfEventLoop();
  a.say('NOT_SERVING');

  await expect(early).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(a.asked).toHaveLength(2);
});

test('so does a connection that another channel made', async () => {
  const a = await startBackend('a', 'SERVING');
  const shared = { 'grpc.use_local_subchannel_pool': 0 };
  await serverOf(connectWith(shared, a).leaf);

  a.say(undefined);
  const watched = a.watched();
  const early = serverOf(connectWith(shared, a).leaf);
  await watched;
  await turnOfEventLoop();
  a.say('NOT_SERVING');

  await expect(early).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test('a closed client watches no more', async () => {
  const a = await startBackend('a', 'SERVING');
  const { leaf, factory } = connect(a);
  await serverOf(leaf);
  const [watch] = a.watches;
  const cancelled = once(watch!, 'cancelled');

  await factory.close();

  await cancelled;
  expect(a.watches.size).toBe(0);
});
