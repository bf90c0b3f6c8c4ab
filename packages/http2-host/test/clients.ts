import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { request as requestHttps } from 'node:https';
import { ChannelCredentials, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { LeafClient, type RelayReply, RelayRequest } from '@grpc-di/test-rig';
import type { Certificate } from './certificates.js';

/** What a client needs to trust the host, and to say who it is; without it, plain text. */
export interface ClientTls {
  readonly ca: string;
  readonly own?: Certificate;
}

/** On a connection of its own. */
export function grpcClient(port: number, tls?: ClientTls): LeafClient {
  const { ca, own } = tls ?? {};
  const channelCredentials =
    ca === undefined
      ? credentials.createInsecure()
      : ChannelCredentials.createSsl(Buffer.from(ca), own && Buffer.from(own.key), own && Buffer.from(own.cert));
  // The certificate is for localhost, which may be more addresses than the host listens on.
  return new LeafClient(`127.0.0.1:${port}`, channelCredentials, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.default_authority': 'localhost',
  });
}

export const REQUEST = RelayRequest.create({ id: 'a' });

export function unary(client: LeafClient, request: RelayRequest = REQUEST): Promise<RelayReply> {
  return new Promise((resolve, reject) => {
    client.unary(request, (error, reply) => (error === null ? resolve(reply) : reject(error)));
  });
}

/** The status that a unary call ends with. */
export async function statusOfUnary(client: LeafClient): Promise<Pick<ServiceError, 'code' | 'details'>> {
  try {
    await unary(client);
    return { code: status.OK, details: '' };
  } catch (error) {
    const { code, details } = error as ServiceError;
    return { code, details };
  }
}

/** One call of each kind; the ids that came back. */
export async function callAllKinds(client: LeafClient): Promise<Record<string, string[]>> {
  const serverStream = client.serverStream(REQUEST);
  const bidi = client.bidi();
  bidi.write(REQUEST);
  bidi.write(REQUEST);
  bidi.end();
  const clientStream = new Promise<RelayReply>((resolve, reject) => {
    const call = client.clientStream((error, reply) => (error === null ? resolve(reply) : reject(error)));
    call.write(REQUEST);
    call.write(REQUEST);
    call.end();
  });
  return {
    unary: [(await unary(client)).id],
    serverStream: (await serverStream.toArray()).map(({ id }: RelayReply) => id),
    clientStream: [(await clientStream).id],
    bidi: (await bidi.toArray()).map(({ id }: RelayReply) => id),
  };
}

export const ALL_KINDS = { unary: ['a'], serverStream: ['a', 'a', 'a'], clientStream: ['2'], bidi: ['a', 'a'] };

export function http2Client(port: number, tls?: ClientTls): ClientHttp2Session {
  return connectHttp2(`${tls === undefined ? 'http' : 'https'}://localhost:${port}`, {
    host: '127.0.0.1',
    ca: tls?.ca,
    ...tls?.own,
  });
}

export interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
}

export async function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string,
): Promise<Answer> {
  const stream = session.request({ ':path': '/', ':method': body === undefined ? 'GET' : 'POST', ...headers });
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (received) => {
    trailers = received;
  });
  stream.end(body);
  const [response, chunks] = await Promise.all([responseOf(stream), stream.toArray() as Promise<Buffer[]>]);
  return { headers: response, body: Buffer.concat(chunks).toString(), trailers };
}

function responseOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(new Error(`closed with code ${stream.rstCode} before a response`)));
  });
}

export async function askHttp1(
  port: number,
  options: { path?: string; method?: string; headers?: OutgoingHttpHeaders; agent?: import('node:http').Agent } = {},
  tls?: ClientTls,
): Promise<Answer & { readonly rawTrailers: string[]; readonly version: string }> {
  const request =
    tls === undefined
      ? requestHttp({ port, host: '127.0.0.1', ...options })
      : requestHttps({ port, host: '127.0.0.1', servername: 'localhost', ca: tls.ca, ...tls.own, ...options });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks = (await response.toArray()) as Buffer[];
  return {
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
    trailers: response.trailers,
    rawTrailers: response.rawTrailers,
    version: response.httpVersion,
  };
}
