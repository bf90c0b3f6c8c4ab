import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { processFile } from '../../../dist/harness/services.js';
import { WorkerProcess } from '../../../dist/harness/worker-process.js';
import { bytesPerCall, type Retention, retentionOf } from '../../../dist/measurements/retention/retention-of.js';
import type { FrontendProcess } from '../../../dist/processes/frontend.js';
import type { UsersProcess } from '../../../dist/processes/users.js';

/** Of doubles, in an array of their own: 8 bytes each. */
const numbersKept = 1_000;

const plan = {
  warmUpCalls: 300,
  batches: 2,
  callsPerBatch: 200,
  maxGrowth: Number.POSITIVE_INFINITY,
  shortStreams: 2,
  callsPerShortStream: 3,
};

let users: WorkerProcess<UsersProcess>;

beforeAll(async () => {
  users = await WorkerProcess.start<UsersProcess>(processFile('users'));
});

afterAll(() => users.close());

test('what a frontend keeps for each nested call is seen, until it is too much, and so are its warnings', async () => {
  const retention = await retentionOfLeaking(numbersKept, { batches: 9, maxGrowth: 1.5 * 200 * 8 * numbersKept });

  expect(retention.heap.map(({ calls }) => calls)).toEqual([0, 200, 400]);
  expect(bytesPerCall(retention.heap)).toBeGreaterThan(7 * numbersKept);
  expect(bytesPerCall(retention.heap)).toBeLessThan(10 * numbersKept);
  expect(retention.warnings).toEqual([`LeakWarning: ${numbersKept} numbers are kept`]);
  expect(retention.replyDelaysBefore).toHaveLength(2);
  expect(Math.min(...retention.replyDelaysBefore, retention.replyDelayAfter)).toBeGreaterThan(0);
});

test('a frontend that keeps nothing is seen to keep far less, and has no warnings', async () => {
  const retention = await retentionOfLeaking(0);

  expect(retention.heap.map(({ calls }) => calls)).toEqual([0, 200, 400]);
  expect(bytesPerCall(retention.heap)).toBeLessThan(3 * numbersKept);
  expect(retention.warnings).toEqual([]);
});

async function retentionOfLeaking(numbers: number, differently: Partial<typeof plan> = {}): Promise<Retention> {
  const upstream = `127.0.0.1:${await users.ask('port')}`;
  const frontend = await WorkerProcess.start<FrontendProcess>(
    new URL('fixtures/leaking-frontend.js', import.meta.url),
    {
      args: [upstream, String(numbers)],
      nodeArgs: ['--expose-gc'],
    },
  );
  try {
    return await retentionOf(frontend, { ...plan, ...differently });
  } finally {
    await frontend.close();
  }
}
