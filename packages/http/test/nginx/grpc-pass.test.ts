import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { credentials, Metadata } from '@grpc/grpc-js';
import { debianProgram, RelayClient, RelayRequest } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LeavingClient, startCurl } from './leaving-clients.js';
import { type RunningNginx, startNginx } from './nginx.js';
import { type RelayHop, startRelayHop } from './relay-hop.js';

const program = debianProgram('nginx');
const curl = debianProgram('curl');

const CURL = 'a curl that is killed (Debian package curl)';
const UNARY = '/grpc_di.test.v1.Relay/Unary';
const GRPC_HEADERS = { 'content-type': 'application/grpc', te: 'trailers' };

(program === undefined ? describe.skip : describe)('behind grpc_pass (Debian package nginx)', () => {
  let hops: RelayHop;
  let nginx: RunningNginx;
  let client: RelayClient;

  beforeAll(async () => {
    hops = await startRelayHop();
    nginx = await startNginx(
      program!,
      (port) => `
        server {
          listen 127.0.0.1:${port} http2;
          location / { grpc_pass grpc://127.0.0.1:${hops.relay.port}; }
        }`,
    );
    client = new RelayClient(`127.0.0.1:${nginx.port}`, credentials.createInsecure());
  });

  afterAll(async () => {
    client?.close();
    await nginx?.[Symbol.asyncDispose]();
    await hops?.[Symbol.asyncDispose]();
  });

  const request = (id: string): RelayRequest => ({ id, script: '', path: [] });

  const clients: Record<string, (caseId: string) => LeavingClient> = {
    'a client that cancels': (caseId) => {
      const call = client.unary(request(caseId), () => {});
      return { leave: () => call.cancel() };
    },
    'a client that cancels a stream': (caseId) => {
      const call = client.serverStream(request(caseId)).on('error', () => {});
      return { leave: () => call.cancel() };
    },
    'a connection that is destroyed': (caseId) => {
      const socket = connect(nginx.port, '127.0.0.1');
      const session = connectHttp2('http://test', { createConnection: () => socket }).on('error', () => {});
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: UNARY,
        ...GRPC_HEADERS,
      });
      stream.on('error', () => {}).end(framed(caseId));
      return { leave: () => void socket.destroy() };
    },
  };
  if (curl !== undefined) {
    clients[CURL] = (caseId) => {
      const headers = Object.entries(GRPC_HEADERS).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
      const url = `http://127.0.0.1:${nginx.port}${UNARY}`;
      return startCurl(curl, ['--http2-prior-knowledge', ...headers, '--data-binary', '@-', url], framed(caseId));
    };
  } else {
    test.skip(`${CURL}: has left the deepest service`, () => {});
  }

  test.each(Object.entries(clients))('%s: has left the deepest service', async (what, start) => {
    const caseId = what.replaceAll(/\W+/g, '-');
    const leaving = start(caseId);
    const arrival = await hops.leaf.arrived(caseId);
    expect(arrival.isOver).toBe(false);

    leaving.leave();

    await arrival.cancelled;
  });

  test('grpc-timeout: passes, and bounds the deepest call', async () => {
    const deadline = Date.now() + 600_000;
    const call = client.unary(request('deadline'), new Metadata(), { deadline }, () => {});
    const arrival = await hops.leaf.arrived('deadline');
    arrival.answer();
    const [{ code }] = await once(call, 'status');

    expect(code).toBe(0);
    // Less what the headers round, more what the way takes: each hop counts anew.
    expect(Math.abs(arrival.deadline - deadline)).toBeLessThan(10_000);
  });

  test('a deadline that passes: ends the deepest call', async () => {
    const call = client.unary(request('too late'), new Metadata(), { deadline: Date.now() + 1_000 }, () => {});
    const ended = once(call, 'status');
    const arrival = await hops.leaf.arrived('too late');

    await arrival.cancelled;
    expect((await ended)[0]).toMatchObject({ code: 4 });
  });
});

/** A request as gRPC frames it: not compressed, its length, the message. */
function framed(id: string): Buffer {
  const message = RelayRequest.encode({ id, script: '', path: [] }).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
