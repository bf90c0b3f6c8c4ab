import 'reflect-metadata';
import {
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import {
  type ClientStreamingCall,
  createGrpcClient,
  type DuplexStreamingCall,
  type GrpcCallOptions,
  type GrpcClient,
  type GrpcClientConstructor,
  type GrpcClientFactory,
  getGrpcClient,
  type ServerStreamingCall,
  type UnaryCall,
} from '@grpc-di/client-factory';
import { LeafClient, RelayClient, type RelayReply, type RelayRequest } from '@grpc-di/test-rig';
import { type Container, inject, injectable, named } from 'inversify';
import { accept, type Equal, expectType } from './expect-type.js';

// Nothing here runs: tsc checks it. ts-proto's client is an interface with overloads, beside a constructor constant.

const request: RelayRequest = { id: '1', script: '', path: [] };
const metadata = new Metadata();
declare const requests: AsyncGenerator<RelayRequest>;

export async function unaryCalls(relay: GrpcClient<RelayClient>): Promise<void> {
  const call = relay.unary(request, { timeoutMs: 500, signal: AbortSignal.abort(), metadata: { 'x-a': 'b' } });
  expectType<Equal<typeof call, UnaryCall<RelayReply>>>();
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply>>();
  accept<Promise<RelayReply>>(relay.unary(request));
  expectType<Equal<typeof call.headers, Promise<Metadata>>>();
  expectType<Equal<typeof call.trailers, Promise<Metadata>>>();
  expectType<Equal<typeof call.status, Promise<StatusObject>>>();
  call.cancel('no longer wanted');

  // @ts-expect-error a request is needed
  relay.unary();
  // @ts-expect-error a field of the wrong type
  relay.unary({ id: 1, script: '', path: [] });
  // @ts-expect-error another message
  relay.unary({ id: '', text: '', deadline: 0 });
  // @ts-expect-error no such option
  relay.unary(request, { timeout: 500 });
  // @ts-expect-error an option of the wrong type
  relay.unary(request, { timeoutMs: '500' });
  // @ts-expect-error a call can switch it off, and no more
  relay.unary(request, { enableCallContextPropagation: true });
  // @ts-expect-error no such field in the response
  void reply.script;
  // @ts-expect-error no such rpc
  relay.unari(request);
}

export async function serverStreamingCalls(relay: GrpcClient<RelayClient>): Promise<void> {
  const call = relay.serverStream(request, { timeoutMs: 500 });
  expectType<Equal<typeof call, ServerStreamingCall<RelayReply>>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply>>();
    // @ts-expect-error no such field in the response
    void reply.script;
  }
  for await (const reply of relay.serverStream(request)) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  const message = call.read();
  expectType<Equal<typeof message, RelayReply>>();
  call.cancel(new Error('enough'));
  expectType<Equal<ReturnType<typeof call.getPeer>, string>>();
  accept<ClientReadableStream<RelayReply>>(call);
  accept<AsyncIterable<RelayReply>>(call);
  await using _closing = call;

  // @ts-expect-error a request is needed
  relay.serverStream();
  // @ts-expect-error the requests of another kind
  relay.serverStream([request]);
  // @ts-expect-error no such option
  relay.serverStream(request, { timeout: 500 });
  // @ts-expect-error streamed responses are no promise
  void call.then;
}

export async function clientStreamingCalls(relay: GrpcClient<RelayClient>): Promise<void> {
  const call = relay.clientStream();
  expectType<Equal<typeof call, ClientStreamingCall<RelayRequest, RelayReply>>>();
  await call.requests.send(request);
  call.requests.end();
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply>>();
  accept<ClientStreamingCall<RelayRequest, RelayReply>>(relay.clientStream([request], { timeoutMs: 500 }));
  accept<ClientStreamingCall<RelayRequest, RelayReply>>(relay.clientStream(requests));
  accept<ClientStreamingCall<RelayRequest, RelayReply>>(relay.clientStream(undefined, { timeoutMs: 500 }));

  // @ts-expect-error another message
  await call.requests.send({ id: '', text: '', deadline: 0 });
  // @ts-expect-error iterables of another message
  relay.clientStream(['request']);
  // @ts-expect-error no such option
  relay.clientStream([request], { timeout: 500 });
  // @ts-expect-error a promise is no writable stream
  call.write(request);
}

export async function duplexCalls(relay: GrpcClient<RelayClient>): Promise<void> {
  const call = relay.bidi(requests, { timeoutMs: 500 });
  expectType<Equal<typeof call, DuplexStreamingCall<RelayRequest, RelayReply>>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  const byHand = relay.bidi();
  expectType<Equal<typeof byHand, DuplexStreamingCall<RelayRequest, RelayReply>>>();
  byHand.write(request);
  byHand.end();
  accept<ClientDuplexStream<RelayRequest, RelayReply>>(byHand);

  // @ts-expect-error another message
  byHand.write({ id: '', text: '', deadline: 0 });
  // @ts-expect-error iterables of another message
  relay.bidi(['request']);
  // @ts-expect-error no such option
  relay.bidi(requests, { timeout: 500 });
}

export function callbackForms(relay: GrpcClient<RelayClient>, callOptions: CallOptions): void {
  const call = relay.unary(request, (error, reply) => {
    expectType<Equal<typeof error, ServiceError | null>>();
    expectType<Equal<typeof reply, RelayReply>>();
  });
  expectType<Equal<typeof call, ClientUnaryCall>>();
  relay.unary(request, metadata, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
  relay.unary(request, metadata, callOptions, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
  const writable = relay.clientStream((_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
  expectType<Equal<typeof writable, ClientWritableStream<RelayRequest>>>();
  relay.clientStream(metadata, callOptions, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());

  // @ts-expect-error a callback for another message
  relay.unary(request, (_error: ServiceError | null, _reply: RelayRequest) => {});
}

export function callbackFormsWithOptions(relay: GrpcClient<RelayClient>): void {
  relay.unary(request, { timeoutMs: 500 }, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
  relay.unary(request, metadata, { timeoutMs: 500 }, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
  relay.clientStream({ timeoutMs: 500 }, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
  relay.clientStream(metadata, { timeoutMs: 500 }, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());

  // @ts-expect-error no such option
  relay.unary(request, metadata, { timeout: 500 }, () => {});
  // @ts-expect-error no such option
  relay.clientStream(metadata, { timeout: 500 }, () => {});
}

export async function formsWithMetadata(relay: GrpcClient<RelayClient>, options: GrpcCallOptions): Promise<void> {
  for await (const reply of relay.serverStream(request, metadata, options)) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  for await (const reply of relay.bidi(metadata)) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  for await (const reply of relay.bidi(options)) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  accept<UnaryCall<RelayReply>>(relay.unary(request, metadata));
  accept<UnaryCall<RelayReply>>(relay.unary(request, metadata, options));
  accept<ClientStreamingCall<RelayRequest, RelayReply>>(relay.clientStream(metadata, options));
}

export function registration(container: Container, factory: GrpcClientFactory): void {
  createGrpcClient(container, RelayClient, { address: 'https://relay', enableCallContextPropagation: true });
  expectType<Equal<ReturnType<typeof typed>, GrpcClient<RelayClient>>>();
  function typed() {
    return getGrpcClient(container, RelayClient);
  }
  accept<GrpcClient<RelayClient>>(getGrpcClient(container, RelayClient, 'eu'));
  accept<GrpcClient<RelayClient>>(factory.createClient(RelayClient, 'eu'));
  accept<GrpcClientConstructor<RelayClient>>(RelayClient);
  const relay = getGrpcClient(container, RelayClient);
  accept<RelayClient>(relay);
  // The generated class is the identifier: what inversify itself returns for it is typed, too.
  accept<RelayClient>(container.get(RelayClient));

  // @ts-expect-error no such option
  createGrpcClient(container, RelayClient, { adress: 'https://relay' });
  // @ts-expect-error an instance is no class
  createGrpcClient(container, relay);
  // @ts-expect-error no gRPC client
  createGrpcClient(container, Map);
  // @ts-expect-error the client of another service
  accept<GrpcClient<LeafClient>>(container);
}

@injectable()
export class Injected {
  constructor(
    @inject(RelayClient) private readonly relay: GrpcClient<RelayClient>,
    @inject(RelayClient) @named('eu') private readonly european: GrpcClient<RelayClient>,
  ) {}

  async reply(): Promise<RelayReply> {
    return (await this.relay.unary(request)) ?? (await this.european.unary(request));
  }
}

/** As a test of a user's does it. */
export function mocks(container: Container): void {
  const fake: Pick<GrpcClient<RelayClient>, 'unary'> = { unary: () => Promise.resolve(0) as never };
  container.bind(RelayClient).toConstantValue(fake as GrpcClient<RelayClient>);
}

/** A declaration file can be written of what is taken from a client. */
export function parts(relay: GrpcClient<RelayClient>) {
  return { unary: relay.unary, serverStream: relay.serverStream, clientStream: relay.clientStream, bidi: relay.bidi };
}
