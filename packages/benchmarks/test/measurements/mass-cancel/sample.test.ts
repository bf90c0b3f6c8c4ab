import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkerProcess } from '../../../dist/harness/worker-process.js';
import type { MassCancelProcess } from '../../../dist/measurements/mass-cancel/client-process.js';
import { sampleOf } from '../../../dist/measurements/mass-cancel/sample.js';
import type { HoldingServerProcess } from '../../../dist/measurements/mass-cancel/server-process.js';
import { ways } from '../../../dist/measurements/mass-cancel/ways.js';

const folder = new URL('../../../dist/measurements/mass-cancel/', import.meta.url);
const size = { connections: 3, callsPerConnection: 20 };

let server: WorkerProcess<HoldingServerProcess>;

beforeAll(async () => {
  server = await WorkerProcess.start<HoldingServerProcess>(new URL('server-process.js', folder));
});

afterAll(() => server.close());

test.each(Object.keys(ways))('%s: every call ends cancelled, at the server as well, on its connection', async (way) => {
  const client = await startClient(way);

  try {
    const first = await sampleOf(client, server, size);
    const second = await sampleOf(client, server, size);

    for (const { cancelling, delivered } of [first, second]) {
      expect(cancelling).toBeGreaterThan(0);
      expect(delivered).toBeGreaterThan(0);
    }
  } finally {
    await client.close();
  }
});

test('a call that ends otherwise fails the sample', async () => {
  const client = await startClient('bare');
  const lost = await WorkerProcess.start<HoldingServerProcess>(new URL('server-process.js', folder));

  try {
    const address = `127.0.0.1:${await lost.ask('port')}`;
    await client.ask('start', { address, ...size });
    await lost.ask('held', size.connections * size.callsPerConnection);
    await lost.close();
    await client.ask('callOnEach').catch(() => {});

    await expect(client.ask('cancel')).rejects.toThrow('A call was not cancelled');
  } finally {
    await client.close();
  }
});

function startClient(way: string): Promise<WorkerProcess<MassCancelProcess>> {
  return WorkerProcess.start(new URL('client-process.js', folder), { args: [way], nodeArgs: ['--expose-gc'] });
}
