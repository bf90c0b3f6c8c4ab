import 'reflect-metadata';
import { type ServerUnaryCall, type ServiceConfig, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { LeafClient, LeafService, type RelayReply, type RunningServer, startServer } from '@grpc-di/test-rig';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from './front-server.js';

// Retries and hedging are grpc-js's, below us: one deadline and one cancellation must hold for all attempts of a call.

interface Attempt {
  readonly deadline: number;
  readonly cancelled: Promise<void>;
}

let server: RunningServer;
let container: Container;
let attempts: Attempt[];
let attempted: () => void;

afterEach(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await server[Symbol.asyncDispose]();
});

/** A client whose calls are attempted again as `methodConfig` says, and a server that does `answer` to each attempt. */
async function clientWith(
  methodConfig: Partial<ServiceConfig['methodConfig'][number]>,
  answer: (respond: sendUnaryData<RelayReply>, attempt: number) => void,
): Promise<GrpcClient<LeafClient>> {
  attempts = [];
  attempted = () => {};
  server = await startServer((grpcServer) =>
    grpcServer.addService(LeafService, {
      unary: (call: ServerUnaryCall<unknown, RelayReply>, respond: sendUnaryData<RelayReply>) => {
        attempts.push({
          deadline: Number(call.getDeadline()),
          cancelled: new Promise((resolve) => {
            call.on('cancelled', () => resolve());
          }),
        });
        answer(respond, attempts.length);
        attempted();
      },
    }),
  );
  container = new Container();
  createGrpcClient(container, LeafClient, {
    address: server.address,
    enableCallContextPropagation: true,
    channelOptions: {
      'grpc.service_config': JSON.stringify({
        loadBalancingConfig: [],
        methodConfig: [{ name: [{}], ...methodConfig }],
      }),
    },
  });
  return getGrpcClient(container, LeafClient);
}

function untilAttempts(count: number): Promise<void> {
  return new Promise((resolve) => {
    attempted = () => {
      if (attempts.length >= count) {
        resolve();
      }
    };
    attempted();
  });
}

const RETRY = {
  retryPolicy: {
    maxAttempts: 5,
    initialBackoff: '0.05s',
    maxBackoff: '0.05s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  },
} as never;

const refuse = (respond: sendUnaryData<RelayReply>): void => respond({ code: status.UNAVAILABLE, details: 'not now' });

describe('retries', () => {
  test("all attempts share the parent's deadline", async () => {
    const client = await clientWith(RETRY, (respond, attempt) =>
      attempt < 3 ? refuse(respond) : respond(null, { id: 'third', text: '', deadline: 0 }),
    );
    const deadline = Date.now() + 60_000;

    const reply = await runInCallContext({ deadline }, () => client.unary(REQUEST));

    expect(reply.id).toBe('third');
    expect(attempts).toHaveLength(3);
    for (const attempt of attempts) {
      // The header is rounded up to a millisecond, and counted from the arrival; a deadline of its own would be minutes off.
      expect(Math.abs(attempt.deadline - deadline)).toBeLessThan(5_000);
    }
  });

  test("none starts after the parent's cancellation", async () => {
    const client = await clientWith(RETRY, refuse);
    const parent = new AbortController();
    const error = await runInCallContext({ signal: parent.signal }, async () => {
      const call = client.unary(REQUEST).then(
        () => undefined,
        (failure: unknown) => failure,
      );
      await untilAttempts(2);
      parent.abort();
      return call;
    });
    expect(error).toMatchObject({ code: status.CANCELLED, cause: { name: 'CallCancelledError', code: 1 } });
    const made = attempts.length;

    // Twice the longest backoff, which is what grpc-js waits at most before another attempt.
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    expect(attempts).toHaveLength(made);
  });
});

describe('hedging', () => {
  const HEDGE = { hedgingPolicy: { maxAttempts: 3, hedgingDelay: '0.01s', nonFatalStatusCodes: [] } } as never;

  test("all attempts share the parent's deadline, and end with its cancellation", async () => {
    const client = await clientWith(HEDGE, () => {});
    const parent = new AbortController();
    const deadline = Date.now() + 60_000;
    await runInCallContext({ signal: parent.signal, deadline }, async () => {
      const call = client.unary(REQUEST);
      await untilAttempts(3);
      parent.abort();
      await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
    });
    await Promise.all(attempts.map(({ cancelled }) => cancelled));
    for (const attempt of attempts) {
      expect(Math.abs(attempt.deadline - deadline)).toBeLessThan(5_000);
    }
  });
});

test('a parent that is cancelled while a name is resolved ends the child', async () => {
  server = await startServer(() => {});
  container = new Container();
  createGrpcClient(container, LeafClient, {
    address: 'http://name.invalid:50051',
    enableCallContextPropagation: true,
  });
  const client = getGrpcClient(container, LeafClient);
  const parent = new AbortController();
  await runInCallContext({ signal: parent.signal }, async () => {
    const call = client.unary(REQUEST, { waitForReady: true });
    parent.abort('gone');
    await expect(call).rejects.toMatchObject({ code: status.CANCELLED, cause: { code: 1 } });
  });
});
