import { createGrpcClient } from '@grpc-di/client-factory';
import type { Container } from 'inversify';
import { JobsClient } from '../../generated/overload/v1/overload.js';

export interface Upstream {
  readonly address: string;
  /** Whether calls follow the one that they are made in, and what they keep back of its deadline. */
  readonly propagation: false | { readonly deadlineMarginMs: number };
}

/** Registers the client of the next service; `address` is a list, whose connections take turns. */
export function registerJobsClient(container: Container, { address, propagation }: Upstream): void {
  createGrpcClient(container, JobsClient, {
    address,
    serviceConfig: { loadBalancingConfig: [{ round_robin: {} }] },
    enableCallContextPropagation: propagation,
  });
}
