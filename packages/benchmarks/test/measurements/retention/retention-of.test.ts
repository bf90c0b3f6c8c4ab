import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { processFile } from '../../../dist/harness/services.js';
import { WorkerProcess } from '../../../dist/harness/worker-process.js';
import { bytesPerCall, type Retention, retentionOf } from '../../../dist/measurements/retention/retention-of.js';
import type { FrontendProcess } from '../../../dist/processes/frontend.js';
import type { UsersProcess } from '../../../dist/processes/users.js';

const plan = {
  warmUpCalls: 500,
  batches: 3,
  callsPerBatch: 400,
  maxGrowth: Number.POSITIVE_INFINITY,
  shortStreams: 2,
  callsPerShortStream: 3,
};

/** Of doubles, in an array of their own: 8 bytes each. */
const numbersKept = 2_000;

let users: WorkerProcess<UsersProcess>;

beforeAll(async () => {
  users = await WorkerProcess.start<UsersProcess>(processFile('users'));
});

afterAll(() => users.close());

describe('a frontend that keeps 16 kB for each nested call', () => {
  test('is seen to keep them, and to warn of it', async () => {
    const retention = await retentionOfLeaking(numbersKept);

    expect(retention.heap.map(({ calls }) => calls)).toEqual([0, 400, 800, 1200]);
    expect(bytesPerCall(retention.heap)).toBeGreaterThan(15_000);
    expect(bytesPerCall(retention.heap)).toBeLessThan(18_000);
    expect(retention.warnings).toEqual([`LeakWarning: ${numbersKept} numbers are kept`]);
    expect(retention.replyDelaysBefore).toHaveLength(2);
    expect(Math.min(...retention.replyDelaysBefore, retention.replyDelayAfter)).toBeGreaterThan(0);
  });

  test('makes no more calls when its heap has grown as much as it may', async () => {
    const retention = await retentionOfLeaking(numbersKept, { maxGrowth: 10_000_000 });

    expect(retention.heap.map(({ calls }) => calls)).toEqual([0, 400, 800]);
  });
});

test('a frontend that keeps nothing is seen to keep far less, and has no warnings', async () => {
  const retention = await retentionOfLeaking(0);

  expect(bytesPerCall(retention.heap)).toBeLessThan(2_000);
  expect(retention.warnings).toEqual([]);
});

async function retentionOfLeaking(numbers: number, differently: Partial<typeof plan> = {}): Promise<Retention> {
  const upstream = `127.0.0.1:${await users.ask('port')}`;
  const frontend = await WorkerProcess.start<FrontendProcess>(new URL('leaking-frontend.js', import.meta.url), {
    args: [upstream, String(numbers)],
    nodeArgs: ['--expose-gc'],
  });
  try {
    return await retentionOf(frontend, { ...plan, ...differently });
  } finally {
    await frontend.close();
  }
}
