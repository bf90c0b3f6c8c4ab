import 'reflect-metadata';
import { once } from 'node:events';
import { createSecureServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, type Server as SocketServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  Channel,
  type ChannelOptions,
  connectivityState,
  credentials,
  Server,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import type { GrpcClientOptions } from '@grpc-di/client-factory';
import { LeafService, type RelayServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type ConnectedClient, closeAll, connect, errorOf, REPLY, REQUEST } from '../call/served-calls.js';
import { authority, type Certificate, certificateFor } from './certificates.js';

const LEAF = 'grpc_di.test.v1.Leaf';

let ca: Certificate;
let foreignCa: Certificate;
/** For localhost, signed by `ca`. */
let good: Certificate;

beforeAll(async () => {
  [ca, foreignCa] = await Promise.all([authority('Test CA'), authority('Foreign CA')]);
  good = await certificateFor('localhost', ca);
});

const cleanups: Array<() => void> = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) {
    cleanup();
  }
});

afterAll(closeAll);

/** A grpc-js server on a port of localhost, on all addresses that this is. */
async function serve(
  serverCredentials: ServerCredentials,
  unary: RelayServer['unary'] = (_call, respond) => respond(null, REPLY),
): Promise<number> {
  const server = new Server();
  server.addService(LeafService, { unary } satisfies Partial<RelayServer>);
  cleanups.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('localhost:0', serverCredentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

/** A server that is none of grpc-js. */
async function listen(server: SocketServer): Promise<number> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function tls(own: Certificate, clientCa?: Certificate): ServerCredentials {
  const pair = { private_key: own.key, cert_chain: own.certificate };
  return ServerCredentials.createSsl(clientCa?.certificate ?? null, [pair], clientCa !== undefined);
}

interface ClientSide {
  readonly scheme?: 'http' | 'https';
  /** The certificate to trust; Node's own ones where there is none. */
  readonly trust?: Certificate;
  /** The client's own. */
  readonly own?: Certificate;
  readonly override?: string;
}

function client(port: number, { scheme = 'https', trust, own, override }: ClientSide): ConnectedClient {
  const channelOptions: ChannelOptions = {
    // No connection, and no back-off, of an earlier test's server at this port.
    'grpc.use_local_subchannel_pool': 1,
    ...(override !== undefined && { 'grpc.ssl_target_name_override': override }),
  };
  const options: GrpcClientOptions = { channelOptions };
  if (trust !== undefined) {
    options.credentials = credentials.createSsl(trust.certificate, own?.key, own?.certificate);
  }
  return connect(`${scheme}://localhost:${port}`, options);
}

describe('a call succeeds, and waitForReady() resolves,', () => {
  test.each<[string, () => Promise<[ServerCredentials, ClientSide]>]>([
    ['with the CA of the server', async () => [tls(good), { trust: ca }]],
    [
      'with a self-signed certificate that is trusted itself',
      async () => {
        const selfSigned = await certificateFor('localhost', undefined);
        return [tls(selfSigned), { trust: selfSigned }];
      },
    ],
    [
      'with a client certificate that the server trusts',
      async () => [tls(good, ca), { trust: ca, own: await certificateFor('some client', ca) }],
    ],
    [
      'with a certificate for another name, that grpc.ssl_target_name_override gives',
      async () => [tls(await certificateFor('users.internal', ca)), { trust: ca, override: 'users.internal' }],
    ],
  ])('%s', async (_name, parties) => {
    const [serverCredentials, clientSide] = await parties();
    await using connected = client(await serve(serverCredentials), clientSide);

    await connected.factory.waitForReady();
    expect(await connected.client.unary(REQUEST)).toEqual(REPLY);
  });
});

interface Failure {
  /** The port of the server. */
  readonly server: () => Promise<number>;
  readonly client: () => Promise<ClientSide>;
  /** What Node and OpenSSL say of it, on every version. */
  readonly reason: RegExp;
  readonly advice: string;
}

const OPENSSL = /\w+:error:\w+:SSL routines:\w+/;
/** Whether Node has seen the end of the connection, its reset, or less, is a race. */
const HUNG_UP = /Failed to connect \(\S+\)|Error: .*ECONNRESET.*|Error: Client network socket disconnected before .*/;
const AT = /\.\.\/deps\/openssl\/\S+\.c:\d+:/;
const NODES_HINT = /(; if the root CA is installed locally, try running Node.js with --use-system-ca)?/;

const UNTRUSTED =
  "the server's certificate is signed by a CA that this client does not trust: write credentials: " +
  "credentials.createSsl(ca) with the PEM of the CA's certificate; a server must send intermediate certificates itself";
const UNTRUSTED_CLIENT =
  'the server hung up on the TLS handshake, or right after it: it may demand a client certificate, or not trust the ' +
  'one that it got (credentials.createSsl(ca, key, certificate)), or not speak HTTP/2 there';

const FAILURES: Record<string, Failure> = {
  'the CA of the server is not given': {
    server: async () => serve(tls(good)),
    client: async () => ({}),
    reason: RegExp(`Error: unable to verify the first certificate${NODES_HINT.source}`),
    advice: UNTRUSTED,
  },
  'the CA is another one': {
    server: async () => serve(tls(good)),
    client: async () => ({ trust: foreignCa }),
    reason: RegExp(`Error: unable to verify the first certificate${NODES_HINT.source}`),
    advice: UNTRUSTED,
  },
  'the certificate is self-signed': {
    server: async () => serve(tls(await certificateFor('localhost', undefined))),
    client: async () => ({}),
    reason: RegExp(`Error: self-signed certificate${NODES_HINT.source}`),
    advice:
      "the server's certificate is signed by itself: to trust it, write credentials: credentials.createSsl(certificate) " +
      'with its PEM',
  },
  'the certificate is for another host': {
    server: async () => serve(tls(await certificateFor('users.internal', ca))),
    client: async () => ({ trust: ca }),
    reason:
      /Error \[ERR_TLS_CERT_ALTNAME_INVALID\]: Hostname\/IP does not match certificate's altnames: Host: localhost\. is not in the cert's altnames: DNS:users\.internal/,
    advice:
      "the server's certificate is for other names than the address: connect by one of them, or give it with " +
      "channelOptions: { 'grpc.ssl_target_name_override': 'users.internal' }",
  },
  'grpc.ssl_target_name_override names another host': {
    server: async () => serve(tls(good)),
    client: async () => ({ trust: ca, override: 'users.internal' }),
    reason:
      /Error \[ERR_TLS_CERT_ALTNAME_INVALID\]: Hostname\/IP does not match certificate's altnames: Host: users\.internal\. is not in the cert's altnames: DNS:localhost/,
    advice:
      "the server's certificate is for other names than the address: connect by one of them, or give it with " +
      "channelOptions: { 'grpc.ssl_target_name_override': 'localhost' }",
  },
  'the certificate has expired': {
    server: async () => serve(tls(await certificateFor('localhost', ca, { from: -9, until: -2 }))),
    client: async () => ({ trust: ca }),
    reason: /Error: certificate has expired/,
    advice: "a certificate of the server is past its end, by this machine's clock: renew it",
  },
  'the certificate is not valid yet': {
    server: async () => serve(tls(await certificateFor('localhost', ca, { from: 2, until: 9 }))),
    client: async () => ({ trust: ca }),
    reason: /Error: certificate is not yet valid/,
    advice: "a certificate of the server is not valid yet, by this machine's clock",
  },
  'the server demands a client certificate': {
    server: async () => serve(tls(good, ca)),
    client: async () => ({ trust: ca }),
    reason: RegExp(`${OPENSSL.source}:tlsv13 alert certificate required:${AT.source}SSL alert number 116 \\(\\S+\\)`),
    advice:
      'the server demands a client certificate: write credentials: credentials.createSsl(ca, key, certificate) with ' +
      'one that the server trusts',
  },
  'the server demands a client certificate, in TLS 1.2': {
    server: async () =>
      listen(
        createTlsServer({
          key: good.key,
          cert: good.certificate,
          ca: ca.certificate,
          requestCert: true,
          maxVersion: 'TLSv1.2',
        }),
      ),
    client: async () => ({ trust: ca }),
    reason: RegExp(`Error: ${OPENSSL.source}:[\\w/]+ alert handshake failure:${AT.source}SSL alert number 40`),
    advice:
      "the server refuses this client's certificate, or the lack of one: give credentials.createSsl(ca, key, " +
      'certificate) one that the server trusts',
  },
  'the client certificate is of a CA that the server does not trust': {
    server: async () => serve(tls(good, ca)),
    client: async () => ({ trust: ca, own: await certificateFor('some client', foreignCa) }),
    reason: HUNG_UP,
    advice: UNTRUSTED_CLIENT,
  },
  'the client certificate has expired': {
    server: async () => serve(tls(good, ca)),
    client: async () => ({ trust: ca, own: await certificateFor('some client', ca, { from: -9, until: -2 }) }),
    reason: HUNG_UP,
    advice: UNTRUSTED_CLIENT,
  },
  'the server speaks plain text': {
    server: async () => serve(ServerCredentials.createInsecure()),
    client: async () => ({ trust: ca }),
    reason: RegExp(`Error: ${OPENSSL.source}:wrong version number:${AT.source}`),
    advice:
      "the server speaks no TLS at this port: use the port where it does, or plain text: an 'http:' address or " +
      'credentials.createInsecure()',
  },
  'the client speaks plain text': {
    server: async () => serve(tls(good)),
    client: async () => ({ scheme: 'http' }),
    reason: HUNG_UP,
    advice:
      "the server hung up before it spoke HTTP/2: it may speak TLS only, which is an 'https:' address or " +
      'credentials.createSsl()',
  },
  'the server speaks HTTP/1.1': {
    server: async () => listen(createHttpsServer({ key: good.key, cert: good.certificate })),
    client: async () => ({ trust: ca }),
    reason: RegExp(`Error: ${OPENSSL.source}:[\\w/]+ alert no application protocol:${AT.source}SSL alert number 120`),
    advice: 'the server speaks TLS at this port, and no HTTP/2 in it: that is no gRPC server',
  },
};

describe('a call fails at once with the reason, the address and what to do, and so does waitForReady() in the end,', () => {
  test.each(Object.entries(FAILURES))('where %s', async (_name, failure) => {
    const port = await failure.server();
    await using connected = client(port, await failure.client());
    const address = `dns:localhost:${port}`;
    const reason = `No connection established\\. Last error: (${failure.reason.source})`;
    const startedAt = Date.now();

    const error = await errorOf(connected.client.unary(REQUEST, { timeoutMs: 30_000 }));

    // The first attempt decides: a few ms here. grpc-js makes the next one after a second.
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(error.details).toMatch(
      RegExp(`^${reason}${escaped(` (gRPC client '${LEAF}' at ${address}: ${failure.advice})`)}$`),
    );
    const notReady =
      `1 gRPC client(s) are not ready:\n- gRPC client '${LEAF}' could not connect to ${address} in time: it is ` +
      'TRANSIENT_FAILURE: ';
    await expect(connected.factory.waitForReady({ timeoutMs: 50 })).rejects.toThrow(
      RegExp(`^${escaped(notReady)}${reason}${escaped(` (${failure.advice})`)}$`),
    );
  });
});

test('waitForReady() gives the reason of other failures too', async () => {
  const port = await serve(ServerCredentials.createInsecure());
  for (const cleanup of cleanups.splice(0)) {
    cleanup();
  }
  await using connected = client(port, { scheme: 'http' });
  await errorOf(connected.client.unary(REQUEST));

  await expect(connected.factory.waitForReady({ timeoutMs: 50 })).rejects.toThrow(
    RegExp(
      `could not connect to dns:localhost:${port} in time: it is TRANSIENT_FAILURE: No connection established\\. ` +
        `Last error: Error: connect ECONNREFUSED \\S+:${port}$`,
    ),
  );
});

test('to ask for the reason sends nothing, even where the server is back by then', async () => {
  const arrived: unknown[] = [];
  // grpc-js's own server tells nobody of a call of a method that it does not have.
  const server = createHttp2Server({ key: good.key, cert: good.certificate });
  server.on('stream', (stream, headers) => {
    arrived.push(headers[':path']);
    const answer = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status.UNIMPLEMENTED };
    stream.respond(answer, { endStream: true });
  });
  await using connected = client(await listen(server), { trust: ca });
  await connected.factory.waitForReady();
  const state = jest.spyOn(Channel.prototype, 'getConnectivityState');
  cleanups.push(() => state.mockRestore());
  state.mockReturnValue(connectivityState.TRANSIENT_FAILURE);

  await expect(connected.factory.waitForReady({ timeoutMs: 50 })).rejects.toThrow(/: it is TRANSIENT_FAILURE$/);

  await errorOf(connected.client.unary(REQUEST));
  expect(arrived).toEqual(['/grpc_di.test.v1.Leaf/Unary']);
});

test('what a server says of a connection of its own stays as it is', async () => {
  const details = 'No connection established. Last error: Error: certificate has expired. Resolution note: ';
  const port = await serve(tls(good), (_call, respond) => respond({ code: status.UNAVAILABLE, details }));
  await using connected = client(port, { trust: ca });

  expect(await errorOf(connected.client.unary(REQUEST))).toMatchObject({ code: status.UNAVAILABLE, details });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
