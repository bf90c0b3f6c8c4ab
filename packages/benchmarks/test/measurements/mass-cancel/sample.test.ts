import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkerProcess } from '../../../dist/harness/worker-process.js';
import { type CancellingClient, cancellingClient } from '../../../dist/measurements/mass-cancel/cancelling-client.js';
import { sampleOf } from '../../../dist/measurements/mass-cancel/sample.js';
import type { HoldingServerProcess } from '../../../dist/measurements/mass-cancel/server-process.js';
import { ways } from '../../../dist/measurements/mass-cancel/ways.js';

const size = { connections: 3, callsPerConnection: 20 };

let server: WorkerProcess<HoldingServerProcess>;

beforeAll(async () => {
  const module = new URL('../../../dist/measurements/mass-cancel/server-process.js', import.meta.url);
  server = await WorkerProcess.start<HoldingServerProcess>(module);
});

afterAll(() => server.close());

test.each(Object.entries(ways))(
  '%s: all calls end cancelled, at the server too, on their connections',
  async (_, way) => {
    const { startCalls } = await way.load();
    const client = cancellingClient(startCalls);

    const samples = [await sampleOf(asked(client), server, size), await sampleOf(asked(client), server, size)];

    for (const { cancelling, delivered } of samples) {
      expect(cancelling).toBeGreaterThan(0);
      expect(delivered).toBeGreaterThan(0);
    }
  },
);

test('calls that end otherwise fail the sample', async () => {
  const { startCalls } = await ways.bare.load();
  const client = cancellingClient(startCalls);
  await client.start({ address: `127.0.0.1:${await server.ask('port')}`, ...size });
  await server.ask('held', size.connections * size.callsPerConnection);

  await server.close();
  await client.callOnEach().catch(() => {});

  await expect(client.cancel()).rejects.toThrow('A call was not cancelled');
  await client.close();
});

/** In this process, where its modules are loaded already. */
function asked(client: CancellingClient): Pick<WorkerProcess<CancellingClient>, 'ask'> {
  return {
    ask: (name, ...args) => (client[name] as (...args: unknown[]) => Promise<never>)(...args),
  };
}
