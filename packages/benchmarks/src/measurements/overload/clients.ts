import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { JobsClient } from '../../generated/overload/v1/overload.js';
import type { Arrival } from './arrivals.js';
import { epochMs } from './epoch-ms.js';
import { registerJobsClient } from './jobs-client.js';
import type { Setting } from './setting.js';

/** A request, as its client saw it. */
export interface Request {
  /** When it was due, in epoch milliseconds. */
  readonly dueMs: number;
  readonly attempts: readonly Attempt[];
}

interface Attempt {
  readonly id: number;
  /** In epoch milliseconds. */
  readonly endedMs: number;
  /** gRPC's status code. */
  readonly code: status;
}

export interface Load extends Pick<Setting, 'deadlineMs' | 'attempts'> {
  readonly address: string;
  readonly arrivals: readonly Arrival[];
}

export interface Sent {
  /** When the load began, in epoch milliseconds. */
  readonly startedMs: number;
  readonly requests: readonly Request[];
}

/** Sends each request when it is due, and waits until all have their answer or have given up. */
export async function sendAll({ address, arrivals, deadlineMs, attempts }: Load): Promise<Sent> {
  const container = new Container();
  registerJobsClient(container, { address, propagation: false });
  const factory = container.get(GrpcClientFactory);
  await factory.waitForReady();
  const client = getGrpcClient(container, JobsClient);

  let attemptsSoFar = 0;
  const requests: Promise<Request>[] = [];
  const startedMs = epochMs();
  for (const { atMs, workMs } of arrivals) {
    const dueMs = startedMs + atMs;
    const earlyMs = dueMs - epochMs();
    if (earlyMs >= 1) {
      await sleep(earlyMs);
    }
    requests.push(send(dueMs, workMs));
  }
  const sent = await Promise.all(requests);
  await factory.close();
  return { startedMs, requests: sent };

  async function send(dueMs: number, workMs: number): Promise<Request> {
    const made: Attempt[] = [];
    do {
      const id = attemptsSoFar++;
      const code = await attempt(client, { attempt: id, workMs }, deadlineMs);
      made.push({ id, code, endedMs: epochMs() });
    } while (made.at(-1)!.code === status.DEADLINE_EXCEEDED && made.length < attempts);
    return { dueMs, attempts: made };
  }
}

async function attempt(
  client: GrpcClient<JobsClient>,
  job: { attempt: number; workMs: number },
  timeoutMs: number,
): Promise<status> {
  try {
    await client.work(job, { timeoutMs });
    return status.OK;
  } catch (error) {
    return (error as { code: status }).code;
  }
}
