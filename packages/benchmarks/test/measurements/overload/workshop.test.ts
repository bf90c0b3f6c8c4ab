import 'reflect-metadata';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sendAll } from '../../../dist/measurements/overload/clients.js';
import { startForwarder } from '../../../dist/measurements/overload/forwarder.js';
import type { Upstream } from '../../../dist/measurements/overload/jobs-client.js';
import type { RunningService } from '../../../dist/measurements/overload/serve-jobs.js';
import { startWorkshop, type Workshop } from '../../../dist/measurements/overload/workshop.js';

describe('a job that waits', () => {
  const running: RunningService[] = [];

  afterEach(async () => {
    for (const service of running.splice(0).reverse()) {
      await service.close();
    }
  });

  async function startServices(propagation: Upstream['propagation']): Promise<{ deep: Workshop; address: string }> {
    const deep = await startWorkshop({ workers: 1, leastMs: 0 });
    const middle = await startForwarder({ address: deep.address, propagation });
    const edge = await startForwarder({ address: middle.address, propagation });
    running.push(deep, middle, edge);
    return { deep, address: edge.address };
  }

  /** Two clients that give up, one of them with its job begun. */
  async function giveUp(address: string): Promise<void> {
    const arrival = { atMs: 0, workMs: 60_000 };
    const { requests } = await sendAll({ address, arrivals: [arrival, arrival], deadlineMs: 150, attempts: 1 });
    const codes = requests.flatMap(({ attempts }) => attempts.map(({ code }) => code));
    expect(codes).toEqual([status.DEADLINE_EXCEEDED, status.DEADLINE_EXCEEDED]);
  }

  it('leaves the queue when its client gives up, and a worker its job, with propagation', async () => {
    // given
    const { deep, address } = await startServices({ deadlineMarginMs: 5 });

    // when
    await giveUp(address);
    await deep.idle();

    // then
    expect(deep.waiting()).toBe(0);
    expect(deep.shifts[0]).toMatchObject({ done: false, endedMs: expect.any(Number) });
  });

  it('stays in the queue without propagation', async () => {
    // given
    const { deep, address } = await startServices(false);

    // when the deadlines of the first are long over
    await giveUp(address);
    await giveUp(address);

    // then
    expect(deep.waiting()).toBe(3);
    expect(deep.shifts[0]).not.toHaveProperty('endedMs');
  });
});
