import 'reflect-metadata';
import { createGrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { debianProgram, RelayClient } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { APPS, type RunningApp } from '../apps.js';
import { get } from '../client.js';
import { type LeavingClient, startCurl, startRaw } from './leaving-clients.js';
import { type RunningNginx, startNginx } from './nginx.js';
import { type RelayHop, startRelayHop } from './relay-hop.js';

const program = debianProgram('nginx');
const curl = debianProgram('curl');

const CURL = 'a curl that is killed (Debian package curl)';

(program === undefined ? describe.skip : describe)('behind proxy_pass (Debian package nginx)', () => {
  let hops: RelayHop;
  let app: RunningApp;
  let nginx: RunningNginx;
  const container = new Container();

  beforeAll(async () => {
    hops = await startRelayHop();
    createGrpcClient(container, RelayClient, { address: hops.relay.address, enableCallContextPropagation: true });
    const relay = getGrpcClient(container, RelayClient);
    app = await APPS.Express(async ({ url }) => (await relay.unary({ id: url!.slice(1), script: '', path: [] })).text, {
      timeoutHeader: 'x-timeout-ms',
    });
    nginx = await startNginx(
      program!,
      (port) => `
        upstream app {
          server 127.0.0.1:${app.port};
          keepalive 4;
        }
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
          }
        }`,
    );
  });

  afterAll(async () => {
    await nginx?.[Symbol.asyncDispose]();
    await app?.[Symbol.asyncDispose]();
    await container.get(GrpcClientFactory).close({ cancelCalls: true });
    await hops?.[Symbol.asyncDispose]();
  });

  const clients: Record<string, (path: string) => Promise<LeavingClient>> = {
    'a socket that is destroyed': (path) => startRaw(nginx.port, path, 'destroy'),
    'a socket that its client ends': (path) => startRaw(nginx.port, path, 'end'),
  };
  if (curl !== undefined) {
    clients[CURL] = async (path) => startCurl(curl, [`http://127.0.0.1:${nginx.port}${path}`]);
  } else {
    test.skip(`${CURL}: has left the deepest service`, () => {});
  }

  test.each(Object.entries(clients))('%s: has left the deepest service', async (what, start) => {
    const caseId = what.replaceAll(/\W+/g, '-');
    const client = await start(`/${caseId}`);
    const arrival = await hops.leaf.arrived(caseId);
    expect(arrival.isOver).toBe(false);

    client.leave();

    await arrival.cancelled;
  });

  test('a request that is answered: comes back, on the connection that nginx keeps', async () => {
    for (const caseId of ['first', 'second']) {
      const sent = get({ ...app, port: nginx.port }, `/${caseId}`);
      (await hops.leaf.arrived(caseId)).answer();

      expect(await sent.answer).toEqual({ status: 200, body: 'done' });
    }
  });

  test('the deadline header: passes, and bounds the deepest call', async () => {
    const before = Date.now();
    const sent = get({ ...app, port: nginx.port }, '/deadline', { 'x-timeout-ms': '600000' });
    const arrival = await hops.leaf.arrived('deadline');
    arrival.answer();
    await sent.answer;

    expect(arrival.deadline).toBeGreaterThanOrEqual(before + 600_000 - 1);
    // A hop counts its time anew from the moment that the call arrives.
    expect(arrival.deadline).toBeLessThan(Date.now() + 601_000);
  });

  test('a deadline that passes: is answered with 504, and ends the deepest call', async () => {
    const sent = get({ ...app, port: nginx.port }, '/too-late', { 'x-timeout-ms': '1000' });
    const arrival = await hops.leaf.arrived('too-late');

    expect((await sent.answer).status).toBe(504);
    await arrival.cancelled;
  });
});
