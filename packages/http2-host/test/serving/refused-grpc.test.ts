import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { askHttp1, askHttp2, http2Client } from '../clients.js';
import { startEchoHost } from '../echo-host.js';

const GRPC_CALL = {
  ':method': 'POST',
  ':path': '/grpc_di.test.v1.Leaf/Unary',
  'content-type': 'application/grpc',
  te: 'trailers',
};

test('a gRPC call on a connection of HTTP ends with UNAVAILABLE, in the headers alone, and says why', async () => {
  await using host = await startEchoHost();
  const client = http2Client(host.port);
  await askHttp2(client, {});
  const call = client.request(GRPC_CALL);
  call.end(Buffer.alloc(5));

  const [headers, flags] = await once(call, 'response');

  expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' });
  expect(headers['grpc-message']).toMatch(/^This%20connection%20serves%20HTTP/);
  expect(decodeURI(headers['grpc-message'])).toMatch(/send gRPC calls on a connection of their own/);
  const END_STREAM = 1;
  expect(flags & END_STREAM).toBe(END_STREAM);
  // The connection is none the worse for it.
  expect((await askHttp2(client, {})).body).toBe('GET / 2.0 0');
  client.destroy();
});

test('an HTTP request on a connection of gRPC gets 415 from grpc-js', async () => {
  await using host = await startEchoHost();
  const client = http2Client(host.port);
  const call = client.request(GRPC_CALL);
  call.end(Buffer.alloc(5));
  await once(call, 'response');

  expect((await askHttp2(client, {})).headers[':status']).toBe(415);
  client.destroy();
});

test('a gRPC call over HTTP/1.1 ends with UNAVAILABLE and says what it needs', async () => {
  await using host = await startEchoHost();

  const { headers } = await askHttp1(host.port, { method: 'POST', headers: { 'content-type': 'application/grpc' } });

  expect(headers['grpc-status']).toBe(String(status.UNAVAILABLE));
  expect(decodeURI(String(headers['grpc-message']))).toContain('gRPC needs HTTP/2');
});
