import { once } from 'node:events';
import { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { Server, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { createHttp2Host, type Http2HostOptions } from '@grpc-di/http2-host';
import type { RelayReply, RelayRequest } from '@grpc-di/test-rig';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { authority, type Certificate, certificateOf } from './certificates.js';
import {
  ALL_KINDS,
  askHttp1,
  askHttp2,
  type ClientTls,
  callAllKinds,
  grpcClient,
  http2Client,
  statusOfUnary,
  unary,
} from './clients.js';
import { echo, sayWhatWasAsked, startEchoHost } from './echo-host.js';

let signer: Certificate;
let server: Certificate;
beforeAll(async () => {
  signer = await authority();
  server = await certificateOf('server', signer);
});

const PORTS: [string, () => { tls?: Http2HostOptions['tls']; trust?: ClientTls }][] = [
  ['a TLS port', () => ({ tls: server, trust: { ca: signer.cert } })],
  ['a plain-text port', () => ({})],
];

describe.each(PORTS)('%s', (_name, portOptions) => {
  test('serves gRPC, HTTP/2 and HTTP/1.1 at once', async () => {
    const { tls, trust } = portOptions();
    await using host = await startEchoHost({ tls });
    const grpc = grpcClient(host.port, trust);
    const http2 = http2Client(host.port, trust);

    const answers = await Promise.all([
      callAllKinds(grpc),
      askHttp2(http2, { ':path': '/two' }, 'abc'),
      askHttp1(host.port, { path: '/one' }, trust),
    ]);

    expect(answers).toEqual([
      ALL_KINDS,
      expect.objectContaining({ body: 'POST /two 2.0 3' }),
      expect.objectContaining({ body: 'GET /one 1.1 0', version: '1.1' }),
    ]);
    grpc.close();
    http2.destroy();
  });

  test('serves the hundred requests after the first as it did the first', async () => {
    const { tls, trust } = portOptions();
    await using host = await startEchoHost({ tls });
    const grpc = grpcClient(host.port, trust);
    const http2 = http2Client(host.port, trust);
    const agent = new (tls === undefined ? Agent : HttpsAgent)({ keepAlive: true, maxSockets: 1 });
    const seen = { grpc: new Set<string>(), http2: new Set<string>(), http1: new Set<string>() };

    for (let n = 0; n <= 100; n += 1) {
      seen.grpc.add((await unary(grpc)).id);
      seen.http2.add((await askHttp2(http2, {})).body);
      seen.http1.add((await askHttp1(host.port, { agent }, trust)).body);
    }

    expect(seen).toEqual({ grpc: new Set(['a']), http2: new Set(['GET / 2.0 0']), http1: new Set(['GET / 1.1 0']) });
    agent.destroy();
    grpc.close();
    http2.destroy();
  });

  test('carries messages that need the client to wait for more window', async () => {
    const { tls, trust } = portOptions();
    await using host = await startEchoHost({ tls });
    const grpc = grpcClient(host.port, trust);
    const http2 = http2Client(host.port, trust);
    const large = 'x'.repeat(1_000_000);

    const [reply, answer] = await Promise.all([
      unary(grpc, { id: large, script: '', path: [] }),
      askHttp2(http2, {}, large),
    ]);

    expect(reply.id.length).toBe(1_000_000);
    expect(answer.body).toBe('POST / 2.0 1000000');
    grpc.close();
    http2.destroy();
  });
});

describe('with TLS', () => {
  // OpenSSL has the old versions at security level 0 only.
  const OLD_TOO = 'DEFAULT@SECLEVEL=0';

  test.each<SecureVersion>(['TLSv1', 'TLSv1.1'])('%s is refused', async (version) => {
    await using host = await startEchoHost({ tls: { ...server, ciphers: OLD_TOO } });

    await expect(handshake(host.port, { maxVersion: version, minVersion: version })).rejects.toThrow(/alert|protocol/i);
  });

  test.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])('%s is taken', async (version) => {
    await using host = await startEchoHost({ tls: server });

    const socket = await handshake(host.port, { maxVersion: version, minVersion: version });

    expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, 'h2']);
    socket.destroy();
  });

  test('a client without ALPN gets HTTP/1.1', async () => {
    await using host = await startEchoHost({ tls: server });
    const socket = await handshake(host.port, { ALPNProtocols: [] });

    socket.end('GET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');

    expect(Buffer.concat((await socket.toArray()) as Buffer[]).toString()).toContain('GET /none 1.1 0');
  });

  test('the certificate of a client reaches gRPC handlers and requests', async () => {
    const peers: unknown[] = [];
    await using host = await startEchoHost({
      tls: { ...server, ca: signer.cert, requestCert: true },
      handlers: {
        unary(call: ServerUnaryCall<RelayRequest, RelayReply>, respond) {
          const { transportSecurityType, sslPeerCertificate } = call.getAuthContext();
          peers.push([transportSecurityType, sslPeerCertificate?.subject.CN]);
          respond(null, echo(call.request));
        },
      },
      http(request, response) {
        peers.push([request.httpVersion, (request.socket as TLSSocket).getPeerCertificate().subject.CN]);
        response.end();
      },
    });
    const trust = { ca: signer.cert, own: await certificateOf('ada', signer) };
    const grpc = grpcClient(host.port, trust);
    const http2 = http2Client(host.port, trust);

    await unary(grpc);
    await askHttp2(http2, {});
    await askHttp1(host.port, {}, trust);

    expect(peers).toEqual([
      ['ssl', 'ada'],
      ['2.0', 'ada'],
      ['1.1', 'ada'],
    ]);
    grpc.close();
    http2.destroy();
  });

  async function handshake(port: number, options: object): Promise<TLSSocket> {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: signer.cert,
      ALPNProtocols: ['h2', 'http/1.1'],
      ciphers: OLD_TOO,
      ...options,
    });
    await once(socket, 'secureConnect');
    return socket;
  }
});

describe('a host of gRPC services only', () => {
  test.each(PORTS)('serves them, on %s', async (_name, portOptions) => {
    const { tls, trust } = portOptions();
    const grpc = new Server();
    await using host = createHttp2Host({ grpc, tls });
    const { port } = await host.listen(0, '127.0.0.1');
    const client = grpcClient(port, trust);

    expect((await statusOfUnary(client)).code).toBe(status.UNIMPLEMENTED);
    client.close();
  });

  test('tells an HTTP/1.1 client what it is', async () => {
    await using host = createHttp2Host({ grpc: new Server() });
    const { port } = await host.listen(0, '127.0.0.1');

    const { headers, body } = await askHttp1(port);

    expect(headers[':status'] ?? body).toContain('gRPC, which needs HTTP/2');
  });
});

describe('a host of an HTTP application only', () => {
  test.each(PORTS)('leaves it every request, on %s', async (_name, portOptions) => {
    const { tls, trust } = portOptions();
    await using host = createHttp2Host({ http: sayWhatWasAsked, tls });
    const { port } = await host.listen(0, '127.0.0.1');
    const http2 = http2Client(port, trust);

    const answers = [
      await askHttp2(http2, { 'content-type': 'application/grpc' }, 'abc'),
      await askHttp1(port, {}, trust),
    ];

    expect(answers.map(({ body }) => body)).toEqual(['POST / 2.0 3', 'GET / 1.1 0']);
    http2.destroy();
  });
});

describe('listen', () => {
  test('rejects where it cannot, and can be tried again', async () => {
    await using taken = await startEchoHost();
    await using host = createHttp2Host({ http: sayWhatWasAsked });

    await expect(host.listen(taken.port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const { port } = await host.listen(0, '127.0.0.1');

    expect((await askHttp1(port)).body).toBe('GET / 1.1 0');
  });

  test('is for once', async () => {
    await using host = await startEchoHost();

    await expect(host.host.listen(0)).rejects.toThrow('this host listens already');
    await host.host.close({ graceMs: 0 });
    await expect(host.host.listen(0)).rejects.toThrow('this host was closed');
  });
});

describe('wrong options are refused', () => {
  const http = sayWhatWasAsked;
  const tls = { key: 'k', cert: 'c' };
  test.each<[string, unknown, RegExp]>([
    ['none', undefined, /options must be an object/],
    ['nothing to serve', {}, /give grpc .*, http/],
    ['no Server', { grpc: { bindAsync() {} } }, /grpc must be a Server/],
    ['no listener', { http: 'app' }, /http must be a function/],
    ['no certificate', { http, tls: { key: 'k' } }, /tls needs key and cert/],
    ['own ALPN', { http, tls: { ...tls, ALPNProtocols: ['h2'] } }, /leave tls.ALPNProtocols/],
    ['old TLS', { http, tls: { ...tls, minVersion: 'TLSv1.1' } }, /HTTP\/2 needs TLSv1.2/],
  ])('%s', (_name, options, message) => {
    expect(() => createHttp2Host(options as Http2HostOptions)).toThrow(message);
    expect(() => createHttp2Host(options as Http2HostOptions)).toThrow(TypeError);
  });
});
