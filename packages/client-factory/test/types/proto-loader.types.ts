import 'reflect-metadata';
import {
  type ClientUnaryCall,
  type ClientWritableStream,
  type loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  type ClientStreamingCall,
  createGrpcClient,
  type DuplexStreamingCall,
  type GrpcClient,
  type GrpcClientFactory,
  getGrpcClient,
  type ServerStreamingCall,
  type UnaryCall,
} from '@grpc-di/client-factory';
import { type Container, inject, injectable } from 'inversify';
import {
  Leaf,
  type LeafClient,
  type RelayReply__Output,
  type RelayRequest,
} from '../generators/proto-loader-client.js';
import { accept, type Equal, expectType } from './expect-type.js';

// Nothing here runs: tsc checks it. proto-loader-gen-types declares every rpc twice, in PascalCase and in camelCase; what
// is sent may leave fields out, what is received has them all (`RelayReply__Output`).

const request: RelayRequest = { id: '1' };
const metadata = new Metadata();
declare const requests: AsyncGenerator<RelayRequest>;

export async function unaryCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.Unary(request, { timeoutMs: 500 });
  expectType<Equal<typeof call, UnaryCall<RelayReply__Output>>>();
  const twin = leaf.unary({}, { timeoutMs: 500 });
  expectType<Equal<typeof twin, typeof call>>();
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply__Output>>();
  expectType<Equal<typeof reply.deadline, number>>();
  accept<UnaryCall<RelayReply__Output>>(leaf.unary(request, metadata, { timeoutMs: 500 }));

  // @ts-expect-error a request is needed
  leaf.unary();
  // @ts-expect-error a field of the wrong type
  leaf.Unary({ id: 1 });
  // @ts-expect-error another message
  leaf.Unary({ text: '' });
  // @ts-expect-error no such option
  leaf.Unary(request, { timeout: 500 });
  // @ts-expect-error an option of the wrong type
  leaf.Unary(request, { timeoutMs: '500' });
  // @ts-expect-error no such field in the response
  void reply.script;
}

export async function serverStreamingCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.ServerStream(request, { timeoutMs: 500 });
  expectType<Equal<typeof call, ServerStreamingCall<RelayReply__Output>>>();
  const twin = leaf.serverStream(request);
  expectType<Equal<typeof twin, typeof call>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply__Output>>();
  }
  for await (const reply of leaf.serverStream(request, metadata)) {
    expectType<Equal<typeof reply, RelayReply__Output>>();
  }

  // @ts-expect-error a request is needed
  leaf.ServerStream();
  // @ts-expect-error no such option
  leaf.ServerStream(request, { timeout: 500 });
}

export async function clientStreamingCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.ClientStream(requests, { timeoutMs: 500 });
  expectType<Equal<typeof call, ClientStreamingCall<RelayRequest, RelayReply__Output>>>();
  const twin = leaf.clientStream();
  expectType<Equal<typeof twin, typeof call>>();
  await twin.requests.send(request);
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply__Output>>();

  // @ts-expect-error another message
  await twin.requests.send({ text: '' });
  // @ts-expect-error iterables of another message
  leaf.ClientStream(['request']);
  // @ts-expect-error no such option
  leaf.ClientStream(requests, { timeout: 500 });
}

export async function duplexCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.Bidi(requests, { timeoutMs: 500 });
  expectType<Equal<typeof call, DuplexStreamingCall<RelayRequest, RelayReply__Output>>>();
  const twin = leaf.bidi();
  expectType<Equal<typeof twin, typeof call>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply__Output>>();
  }
  twin.write(request);

  // @ts-expect-error another message
  twin.write({ text: '' });
  // @ts-expect-error iterables of another message
  leaf.Bidi(['request']);
}

export function callbackForms(leaf: GrpcClient<LeafClient>): void {
  // proto-loader's callback has no response where there is an error.
  const call = leaf.Unary(request, (error, reply) => {
    expectType<Equal<typeof error, ServiceError | null>>();
    expectType<Equal<typeof reply, RelayReply__Output | undefined>>();
  });
  expectType<Equal<typeof call, ClientUnaryCall>>();
  leaf.unary(request, metadata, { timeoutMs: 500 }, (_error, reply) =>
    expectType<Equal<typeof reply, RelayReply__Output | undefined>>(),
  );
  leaf.unary(request, { timeoutMs: 500 }, (_error, reply) =>
    expectType<Equal<typeof reply, RelayReply__Output | undefined>>(),
  );
  const writable = leaf.clientStream((_error, reply) =>
    expectType<Equal<typeof reply, RelayReply__Output | undefined>>(),
  );
  expectType<Equal<typeof writable, ClientWritableStream<RelayRequest>>>();

  // @ts-expect-error a callback for another message
  leaf.unary(request, (_error: ServiceError | null, _reply?: string) => {});
}

export function registration(container: Container, factory: GrpcClientFactory): void {
  createGrpcClient(container, Leaf, { address: 'https://leaf' });
  const leaf = getGrpcClient(container, Leaf);
  expectType<Equal<typeof leaf, GrpcClient<LeafClient>>>();
  accept<GrpcClient<LeafClient>>(getGrpcClient(container, Leaf, 'eu'));
  accept<GrpcClient<LeafClient>>(factory.createClient(Leaf));
  accept<LeafClient>(leaf);
}

/** Without generated types: registered and injected all the same, called without types as ever. */
export function untyped(container: Container, loaded: ReturnType<typeof loadPackageDefinition>): void {
  const Untyped = loaded.Leaf as ServiceClientConstructor;
  createGrpcClient(container, Untyped, { address: 'https://leaf' });
  void getGrpcClient(container, Untyped).unary!({});
}

@injectable()
export class Injected {
  constructor(@inject(Leaf) private readonly leaf: GrpcClient<LeafClient>) {}

  reply(): Promise<RelayReply__Output> {
    return this.leaf.Unary(request);
  }
}
