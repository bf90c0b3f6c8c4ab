import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { deepest, outcomes } from './reports.js';
import { type RunningGateway, runGateway, startGateway } from './running-gateway.js';

// Five processes are started here, on a machine that may run as many test files as it has cores.
jest.setTimeout(60_000);

describe('a request', () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  function plan(
    id: string,
    { headers, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Response> {
    return fetch(`${gateway.url}/api/trips/Lisbon`, { headers: { ...headers, 'x-request-id': id }, signal });
  }

  test('that has the time asks twelve times, three levels deep', async () => {
    const id = randomUUID();

    const response = await plan(id);

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ city: 'Lisbon', flights: [{}, {}, {}], hotels: [{}, {}] });
    expect(outcomes(await gateway.reports.untilOver(id))).toEqual({ OK: 13 });
  });

  test('that is aborted stops the deepest service, which says who left', async () => {
    const id = randomUUID();
    const controller = new AbortController();
    const response = plan(id, { signal: controller.signal });
    await gateway.reports.untilDeepest(id);

    controller.abort();

    await expect(response).rejects.toMatchObject({ name: 'AbortError' });
    const calls = await gateway.reports.untilOver(id);
    expect(deepest(calls)!.end).toMatchObject({ outcome: 'CANCELLED', reason: expect.stringContaining('client') });
  });

  test('that runs into its deadline is answered with 504, and stops the deepest service', async () => {
    const id = randomUUID();

    const response = await plan(id, { headers: { 'x-timeout-ms': '1500' } });

    expect(response.status).toBe(504);
    const calls = await gateway.reports.untilOver(id);
    expect(deepest(calls)!.end).toMatchObject({ outcome: 'DEADLINE_EXCEEDED' });
    expect(calls.every(({ deadline }) => deadline !== undefined)).toBe(true);
  });

  test('with an id that nobody could pass on gets one', async () => {
    const controller = new AbortController();
    const response = plan('no id at all', { signal: controller.signal, headers: { 'x-timeout-ms': '1' } });

    expect((await response).status).toBe(504);
  });
});

test.each([
  ['--port', 'http'],
  ['--port', '65536'],
  ['--prot', '1'],
])('%s %s is an error that says which', async (option, value) => {
  const { code, stderr } = await runGateway(option, value);

  expect(code).toBe(1);
  expect(stderr).toContain(option);
  expect(stderr).not.toContain('    at ');
});

test('a port that is taken is an error that says what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const { code, stderr } = await runGateway('--port', String(port));
  server.close();

  expect(code).toBe(1);
  expect(stderr).toContain(`${port}. Another one: npm run gateway -- --port 8081`);
});
