import 'reflect-metadata';
import { EventEmitter, once } from 'node:events';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { credentials, Metadata } from '@grpc/grpc-js';
import { createGrpcClient, currentCallContext, type GrpcClient, GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor, type GrpcService } from '@grpc-di/server';
import {
  CASE_KEY,
  LeafClient,
  RelayClient,
  type RelayReply,
  type RelayRequest,
  type RelayServer,
  RelayService,
  type RunningServer,
  startLeaf,
  startServer,
} from '@grpc-di/test-rig';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Container, inject, injectable } from 'inversify';

const REQUESTS = 200;
/** Deadlines lie so far apart that rounding, and a slow machine, cannot make one look like another. */
const STEP_MS = 20_000;

/** Some way for a handler to lose time, and by which contexts get lost. */
async function wander(seed: number): Promise<void> {
  switch (seed % 6) {
    case 0:
      return turn();
    case 1:
      await wait(seed % 11);
      return;
    case 2:
      await Promise.all([turn(), Promise.resolve().then(() => wait(seed % 5))]);
      return;
    case 3: {
      const emitter = new EventEmitter();
      setTimeout(() => emitter.emit('done'), seed % 7);
      await once(emitter, 'done');
      return;
    }
    case 4:
      return new Promise((resolve) => {
        process.nextTick(() => setImmediate(resolve));
      });
    default:
      return new Promise((resolve) => {
        queueMicrotask(() => setTimeout(resolve, seed % 3));
      });
  }
}

/** One hop: wanders, calls the next one through all four kinds in turn, wanders again. */
abstract class Hop implements GrpcService<RelayServer> {
  protected abstract readonly next: GrpcClient<RelayClient> | GrpcClient<LeafClient>;

  async unary(request: RelayRequest): Promise<RelayReply> {
    await wander(seedOf(request) + 1);
    const reply = await this.next.unary(request, { metadata: { [CASE_KEY]: request.id } });
    await wander(seedOf(request) + 2);
    return { ...reply, deadline: currentCallContext()!.deadline };
  }

  async *serverStream(request: RelayRequest): AsyncIterable<RelayReply> {
    await wander(seedOf(request) + 3);
    yield* this.next.serverStream(request, { metadata: { [CASE_KEY]: request.id } });
  }

  async clientStream(requests: AsyncIterable<RelayRequest>): Promise<RelayReply> {
    for await (const request of requests) {
      await wander(seedOf(request) + 4);
      return this.next.clientStream([request], { metadata: { [CASE_KEY]: request.id } });
    }
    throw new Error('no request came');
  }

  async *bidi(requests: AsyncIterable<RelayRequest>): AsyncIterable<RelayReply> {
    for await (const request of requests) {
      await wander(seedOf(request) + 5);
      yield* this.next.bidi([request], { metadata: { [CASE_KEY]: request.id } });
    }
  }
}

@injectable()
class FirstHop extends Hop {
  constructor(@inject(RelayClient) protected readonly next: GrpcClient<RelayClient>) {
    super();
  }
}

@injectable()
class SecondHop extends Hop {
  constructor(@inject(LeafClient) protected readonly next: GrpcClient<LeafClient>) {
    super();
  }
}

function seedOf({ id }: RelayRequest): number {
  return Number(id.split('/')[1]) * 7 + id.length;
}

let leaf: Awaited<ReturnType<typeof startLeaf>>;
let second: RunningServer;
let first: RunningServer;
const firstContainer = new Container();
const secondContainer = new Container();

beforeAll(async () => {
  const interceptors = [callContextInterceptor()];
  leaf = await startLeaf();
  createGrpcClient(secondContainer, LeafClient, { address: leaf.address, enableCallContextPropagation: true });
  second = await startServer((server) => addGrpcService(server, secondContainer, RelayService, SecondHop), {
    interceptors,
  });
  createGrpcClient(firstContainer, RelayClient, { address: second.address, enableCallContextPropagation: true });
  first = await startServer((server) => addGrpcService(server, firstContainer, RelayService, FirstHop), {
    interceptors,
  });
});

afterAll(async () => {
  await firstContainer.get(GrpcClientFactory).close({ cancelCalls: true });
  await secondContainer.get(GrpcClientFactory).close({ cancelCalls: true });
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await leaf[Symbol.asyncDispose]();
});

test.each(['unary', 'serverStream', 'clientStream', 'bidi'] as const)(
  'two hundred concurrent %s requests, three hops deep: each leaf sees its own request’s deadline',
  async (kind) => {
    const client = new RelayClient(first.address, credentials.createInsecure());
    const start = Date.now();

    const seen = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, index) => {
        const request = { id: `${kind}/${index}`, script: '', path: [] };
        const deadline = start + (index + 2) * STEP_MS;
        const call = {
          unary: () => client.unary(request, new Metadata(), { deadline }, () => {}),
          serverStream: () => client.serverStream(request, { deadline }).resume(),
          clientStream: () => client.clientStream({ deadline }, () => {}),
          bidi: () => client.bidi({ deadline }).resume(),
        }[kind]();
        if (kind === 'clientStream' || kind === 'bidi') {
          (call as ReturnType<RelayClient['bidi']>).write(request);
          (call as ReturnType<RelayClient['bidi']>).end();
        }
        const ended = once(call, 'status');
        const arrival = await leaf.arrived(request.id);
        arrival.answer();
        const [{ code }] = (await ended) as [{ code: number }];
        return { code, index: Math.round((arrival.deadline - start) / STEP_MS) - 2 };
      }),
    );

    expect(seen).toEqual(Array.from({ length: REQUESTS }, (_, index) => ({ code: 0, index })));
    client.close();
  },
);
