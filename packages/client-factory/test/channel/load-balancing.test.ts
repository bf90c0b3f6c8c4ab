import 'reflect-metadata';
import { type ServerUnaryCall, type ServiceError, type sendUnaryData, status } from '@grpc/grpc-js';
import type { GrpcClient, ServiceConfig } from '@grpc-di/client-factory';
import {
  type LeafClient,
  LeafService,
  type RelayReply,
  type RelayRequest,
  type RunningServer,
  startServer,
  startTcpProxy,
} from '@grpc-di/test-rig';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { toServiceConfigOption } from '../../dist/channel/service-config.js';
import { type ConnectedClient, closeAll, connect, request } from '../call/served-calls.js';

afterAll(closeAll);

// Thousands of calls take a busy machine longer than jest's five seconds.
jest.setTimeout(60_000);

/** A server that answers with its name, once it is told to hold no more, and knows what it was asked. */
interface Backend extends AsyncDisposable {
  readonly address: string;
  readonly server: RunningServer;
  /** The deadlines of its calls, each with the request's id. */
  readonly deadlines: Array<readonly [id: string, deadline: number]>;
  readonly held: Array<() => void>;
  isHolding: boolean;
  isFailing: boolean;
  /** Cuts all connections, and takes no more. */
  vanish(): Promise<void>;
}

async function startBackend(name: string): Promise<Backend> {
  const server = await startServer((grpcServer) =>
    grpcServer.addService(LeafService, {
      unary: (call: ServerUnaryCall<RelayRequest, RelayReply>, respond: sendUnaryData<RelayReply>) =>
        handle(call, respond),
    }),
  );
  const proxy = await startTcpProxy(server.port);
  const backend: Backend = {
    address: proxy.address,
    server,
    deadlines: [],
    held: [],
    isHolding: false,
    isFailing: false,
    vanish: async () => proxy[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
  function handle(call: ServerUnaryCall<RelayRequest, RelayReply>, respond: sendUnaryData<RelayReply>): void {
    backend.deadlines.push([call.request.id, Number(call.getDeadline())]);
    const answer = (): void =>
      backend.isFailing
        ? respond({ code: status.UNAVAILABLE, details: `${name} is ill` })
        : respond(null, { id: name, text: '', deadline: 0 });
    if (backend.isHolding) {
      backend.held.push(answer);
    } else {
      setImmediate(answer);
    }
  }
  return backend;
}

function connectTo(backends: readonly Backend[], config: ServiceConfig): ConnectedClient {
  return connect(`ipv4:${backends.map(({ address }) => address).join(',')}`, {
    channelOptions: { 'grpc.service_config': toServiceConfigOption(config) },
  });
}

async function answererOf(client: GrpcClient<LeafClient>): Promise<string> {
  const { id } = await client.unary(request('who'), { timeoutMs: 60_000 });
  return id;
}

/** round_robin uses a server as soon as it is connected to that. */
async function untilBothAnswer(client: GrpcClient<LeafClient>): Promise<void> {
  const answered = new Set<string>();
  for (let calls = 0; answered.size < 2; calls++) {
    if (calls > 10_000) {
      throw new Error(`only ${[...answered].join()} answers`);
    }
    answered.add(await answererOf(client));
  }
}

const ROUND_ROBIN = [{ round_robin: {} }] as const;

describe('two servers', () => {
  test('round_robin takes turns', async () => {
    await using first = await startBackend('first');
    await using second = await startBackend('second');
    await using connected = connectTo([first, second], { loadBalancingConfig: ROUND_ROBIN });
    await untilBothAnswer(connected.client);

    const answers = [];
    for (let call = 0; call < 6; call++) {
      answers.push(await answererOf(connected.client));
    }

    expect(answers.filter((name) => name === 'first')).toHaveLength(3);
    expect(answers[0]).not.toBe(answers[1]);
  });

  test.each<[string, ServiceConfig]>([
    ['pick_first', { loadBalancingConfig: [{ pick_first: {} }] }],
    ['no policy', {}],
  ])('%s stays with the first, and goes to the second when that is gone', async (_policy, config) => {
    await using first = await startBackend('first');
    await using second = await startBackend('second');
    await using connected = connectTo([first, second], config);
    for (let call = 0; call < 4; call++) {
      expect(await answererOf(connected.client)).toBe('first');
    }

    const disconnected = leavesReady(connected);
    await first.vanish();
    await disconnected;

    for (let call = 0; call < 4; call++) {
      expect(await answererOf(connected.client)).toBe('second');
    }
  });

  test('outlier_detection leaves out the one that fails', async () => {
    await using first = await startBackend('first');
    await using second = await startBackend('second');
    await using connected = connectTo([first, second], {
      loadBalancingConfig: [
        {
          outlier_detection: {
            interval: '0.05s',
            base_ejection_time: '3600s',
            max_ejection_time: '3600s',
            max_ejection_percent: 50,
            failure_percentage_ejection: { threshold: 50, minimum_hosts: 2, request_volume: 2 },
            child_policy: ROUND_ROBIN,
          },
        },
      ],
    });
    await untilBothAnswer(connected.client);
    first.isFailing = true;

    // Round robin alone would come to the failing one in every other call, for ever.
    let failed = 0;
    for (let successes = 0; successes < 10; successes++) {
      await answererOf(connected.client).catch(() => {
        failed++;
        successes = 0;
      });
    }

    expect(failed).toBeGreaterThan(0);
  });
});

function leavesReady({ client }: ConnectedClient): Promise<void> {
  const channel = client.getChannel();
  return new Promise((resolve) => {
    channel.watchConnectivityState(channel.getConnectivityState(false), Infinity, () => resolve());
  });
}

describe('one of two servers goes while 32 calls are under way', () => {
  const CALLS = 3_000;
  const IN_FLIGHT = 32;
  const TIMEOUT_MS = 60_000;

  const RETRIES: ServiceConfig = {
    loadBalancingConfig: ROUND_ROBIN,
    methodConfig: [
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 5,
          initialBackoff: '0.01s',
          maxBackoff: '0.1s',
          backoffMultiplier: 2,
          // CANCELLED is what a grpc-js server leaves of its calls in forceShutdown().
          retryableStatusCodes: ['UNAVAILABLE', 'CANCELLED'],
        },
      },
    ],
  };

  const WAYS_TO_GO: Array<[string, (backend: Backend) => Promise<void>]> = [
    ['its connections are cut', (backend) => backend.vanish()],
    ['it shuts down at once', async ({ server }) => server.server.forceShutdown()],
    [
      'it shuts down once its calls are answered',
      async (backend) => {
        const shutDown = new Promise((resolve) => backend.server.server.tryShutdown(resolve));
        backend.isHolding = false;
        for (const answer of backend.held) {
          answer();
        }
        await shutDown;
      },
    ],
  ];

  /** All calls; the server goes after a third of them, when it holds some. */
  async function callsWhile(
    goes: (backend: Backend) => Promise<void>,
    config: ServiceConfig,
  ): Promise<{ answers: Map<string, number>; errors: ServiceError[]; backends: Backend[] }> {
    await using going = await startBackend('going');
    await using staying = await startBackend('staying');
    await using connected = connectTo([going, staying], config);
    await untilBothAnswer(connected.client);
    const answers = new Map<string, number>();
    const errors: ServiceError[] = [];
    let started = 0;
    let gone: Promise<void> | undefined;
    async function callOn(): Promise<void> {
      while (started < CALLS) {
        if (++started > CALLS / 3) {
          going.isHolding = gone === undefined;
          if (going.held.length >= IN_FLIGHT / 4) {
            gone ??= goes(going);
          }
        }
        const deadline = Date.now() + TIMEOUT_MS;
        try {
          const { id } = await connected.client.unary(request(String(deadline)), { deadline });
          answers.set(id, (answers.get(id) ?? 0) + 1);
        } catch (error) {
          errors.push(error as ServiceError);
        }
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, callOn));
    await gone;
    expect(going.held.length).toBeGreaterThanOrEqual(IN_FLIGHT / 4);
    return { answers, errors, backends: [going, staying] };
  }

  test.each(WAYS_TO_GO)('%s: no call fails that is made again, and each keeps its deadline', async (_way, goes) => {
    const { answers, errors, backends } = await callsWhile(goes, RETRIES);

    expect(errors).toEqual([]);
    expect(answers.get('going')! + answers.get('staying')!).toBe(CALLS);
    expect(answers.get('going')).toBeGreaterThan(CALLS / 10);
    for (const { deadlines } of backends) {
      for (const [id, deadline] of deadlines.filter(([asked]) => asked !== 'who')) {
        // The header is in milliseconds, and counted from its arrival: another attempt with a time of its own would show
        // only after a pause, one without a deadline always.
        expect(Math.abs(deadline - Number(id))).toBeLessThan(TIMEOUT_MS / 4);
      }
    }
  });

  test('without retries those fail that were under way', async () => {
    const { errors } = await callsWhile(WAYS_TO_GO[0]![1], { loadBalancingConfig: ROUND_ROBIN });

    expect(errors.length).toBeGreaterThanOrEqual(IN_FLIGHT / 4);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set([status.UNAVAILABLE]));
  });
});
