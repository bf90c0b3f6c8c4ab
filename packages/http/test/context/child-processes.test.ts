import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

// What jest's module loader cannot load, and what needs a heap of its own.

async function run(fixture: string, ...args: string[]): Promise<Record<string, unknown>> {
  const path = fileURLToPath(new URL(`./fixtures/${fixture}.js`, import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--expose-gc', path, ...args], {
    timeout: 100_000,
  });
  expect(stderr.trim()).toBe('');
  return JSON.parse(stdout);
}

test("requests of Fastify's inject() have a context, which ends", async () => {
  expect(await run('inject')).toEqual({ body: [['mine'], []], hasEnded: true, isCancelled: false });
}, 30_000);

test.each(['http/1.1', 'pipelined', 'h2'])(
  '%s: a connection that stays open retains the contexts of few of its requests',
  async (protocol) => {
    const { requests, retained } = await run('retention', protocol, '200');

    expect(requests).toBe(200);
    // Node itself holds on to the last request of a connection.
    expect(retained).toBeLessThanOrEqual(5);
  },
  30_000,
);

test('500 requests at once over three gRPC services never see each other, and leave nothing behind', async () => {
  const { atTheLeaf, contexts, retainedContexts, retainedRequests, ...faults } = await run('three-hops', '500');

  expect(faults).toEqual({ wrongStatuses: [], mixedUp: [], notOver: 0, subscribers: 0, running: [] });
  // At least those that were answered, a third, were at every level.
  expect(atTheLeaf).toBeGreaterThan(333);
  expect(contexts).toBeGreaterThan(4 * 333);
  expect(retainedContexts).toBeLessThanOrEqual(20);
  expect(retainedRequests).toBeLessThanOrEqual(5);
}, 120_000);
