import 'reflect-metadata';
import { type ClientUnaryCall, type ClientWritableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
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
import { LeafClient } from '../generators/generated/protobuf-ts/grpc_di/test/v1/leaf.grpc-client.js';
import type { RelayReply, RelayRequest } from '../generators/generated/protobuf-ts/grpc_di/test/v1/relay.js';
import { accept, type Equal, expectType } from './expect-type.js';

// Nothing here runs: tsc checks it. protobuf-ts's client is a class whose methods have no overloads, but one signature
// with unions: taken alone it lets `await leaf.unary(request, metadata)` compile, with the type of a call object.

const request: RelayRequest = { id: '1', script: '', path: [] };
const metadata = new Metadata();
declare const requests: AsyncGenerator<RelayRequest>;

export async function unaryCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.unary(request, { timeoutMs: 500 });
  expectType<Equal<typeof call, UnaryCall<RelayReply>>>();
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply>>();
  const withMetadata = leaf.unary(request, metadata);
  expectType<Equal<typeof withMetadata, UnaryCall<RelayReply>>>();
  const withBoth = leaf.unary(request, metadata, { deadline: 5 });
  expectType<Equal<typeof withBoth, UnaryCall<RelayReply>>>();
  const withGrpcOptions = leaf.unary(request, { deadline: 5 });
  expectType<Equal<typeof withGrpcOptions, UnaryCall<RelayReply>>>();

  // @ts-expect-error a request is needed
  leaf.unary();
  // @ts-expect-error a field of the wrong type
  leaf.unary({ id: 1, script: '', path: [] });
  // @ts-expect-error another message
  leaf.unary({ id: '', text: '', deadline: 0 });
  // @ts-expect-error no such option
  leaf.unary(request, { timeout: 500 });
  // @ts-expect-error an option of the wrong type
  leaf.unary(request, { timeoutMs: '500' });
  // @ts-expect-error no such field in the response
  void reply.script;
}

export async function serverStreamingCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.serverStream(request, { timeoutMs: 500 });
  expectType<Equal<typeof call, ServerStreamingCall<RelayReply>>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  for await (const reply of leaf.serverStream(request, metadata, { deadline: 5 })) {
    expectType<Equal<typeof reply, RelayReply>>();
  }

  // @ts-expect-error a request is needed
  leaf.serverStream();
  // @ts-expect-error no such option
  leaf.serverStream(request, { timeout: 500 });
}

export async function clientStreamingCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.clientStream(requests, { timeoutMs: 500 });
  expectType<Equal<typeof call, ClientStreamingCall<RelayRequest, RelayReply>>>();
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply>>();
  const byHand = leaf.clientStream(metadata);
  expectType<Equal<typeof byHand, ClientStreamingCall<RelayRequest, RelayReply>>>();
  await leaf.clientStream().requests.send(request);
  const withOptions = leaf.clientStream({ deadline: 5 });
  expectType<Equal<typeof withOptions, ClientStreamingCall<RelayRequest, RelayReply>>>();

  // @ts-expect-error another message
  await byHand.requests.send({ id: '', text: '', deadline: 0 });
  // @ts-expect-error iterables of another message
  leaf.clientStream(['request']);
  // @ts-expect-error no such option
  leaf.clientStream(requests, { timeout: 500 });
}

export async function duplexCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.bidi(requests, { timeoutMs: 500 });
  expectType<Equal<typeof call, DuplexStreamingCall<RelayRequest, RelayReply>>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  for await (const reply of leaf.bidi(metadata)) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  leaf.bidi().write(request);

  // @ts-expect-error another message
  leaf.bidi().write({ id: '', text: '', deadline: 0 });
  // @ts-expect-error iterables of another message
  leaf.bidi(['request']);
}

export function callbackForms(leaf: GrpcClient<LeafClient>): void {
  const call = leaf.unary(request, (error, reply) => {
    expectType<Equal<typeof error, ServiceError | null>>();
    expectType<Equal<typeof reply, RelayReply | undefined>>();
  });
  expectType<Equal<typeof call, ClientUnaryCall>>();
  leaf.unary(request, { timeoutMs: 500 }, (_error, reply) => expectType<Equal<typeof reply, RelayReply | undefined>>());
  const writable = leaf.clientStream(metadata, { timeoutMs: 500 }, (_error, reply) =>
    expectType<Equal<typeof reply, RelayReply | undefined>>(),
  );
  expectType<Equal<typeof writable, ClientWritableStream<RelayRequest>>>();
}

export function registration(container: Container, factory: GrpcClientFactory): void {
  createGrpcClient(container, LeafClient, { address: 'https://leaf' });
  const leaf = getGrpcClient(container, LeafClient);
  expectType<Equal<typeof leaf, GrpcClient<LeafClient>>>();
  accept<GrpcClient<LeafClient>>(factory.createClient(LeafClient, 'eu'));
  accept<LeafClient>(leaf);
}

@injectable()
export class Injected {
  constructor(@inject(LeafClient) private readonly leaf: GrpcClient<LeafClient>) {}

  reply(): Promise<RelayReply> {
    return this.leaf.unary(request);
  }
}
