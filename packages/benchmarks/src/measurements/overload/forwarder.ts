import { type GrpcClient, GrpcClientFactory } from '@grpc-di/client-factory';
import type { GrpcService } from '@grpc-di/server';
import { Container, inject, injectable } from 'inversify';
import { type Done, type Job, JobsClient, type JobsServer } from '../../generated/overload/v1/overload.js';
import { registerJobsClient, type Upstream } from './jobs-client.js';
import { type RunningService, serveJobs } from './serve-jobs.js';

/** A service that passes each job on: the first and the second in the row. */
export async function startForwarder(upstream: Upstream): Promise<RunningService> {
  const container = new Container();
  registerJobsClient(container, upstream);
  const factory = container.get(GrpcClientFactory);
  await factory.waitForReady();
  const { address, server } = await serveJobs(container, Forwarder);
  return {
    address,
    async close() {
      server.forceShutdown();
      await factory.close({ cancelCalls: true });
    },
  };
}

@injectable()
class Forwarder implements GrpcService<JobsServer> {
  constructor(@inject(JobsClient) private readonly next: GrpcClient<JobsClient>) {}

  async work(job: Job): Promise<Done> {
    return await this.next.work(job);
  }
}
