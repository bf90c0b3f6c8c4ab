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
import { LeafClient, RelayReply, RelayRequest } from '../generators/grpc-tools-client.js';
import { accept, type Equal, expectType } from './expect-type.js';

// Nothing here runs: tsc checks it. grpc_tools_node_protoc_ts declares a class with overloads; messages are classes.

const request = new RelayRequest().setId('1');
const metadata = new Metadata();
declare const requests: AsyncGenerator<RelayRequest>;

export async function unaryCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.unary(request, { timeoutMs: 500 });
  expectType<Equal<typeof call, UnaryCall<RelayReply>>>();
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply>>();
  accept<string>(reply.getText());
  accept<UnaryCall<RelayReply>>(leaf.unary(request, metadata));

  // @ts-expect-error a request is needed
  leaf.unary();
  // @ts-expect-error another message
  leaf.unary(new RelayReply());
  // @ts-expect-error no such option
  leaf.unary(request, { timeout: 500 });
  // @ts-expect-error an option of the wrong type
  leaf.unary(request, { timeoutMs: '500' });
  // @ts-expect-error no such field in the response
  reply.getId();
}

export async function serverStreamingCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.serverStream(request, { timeoutMs: 500 });
  expectType<Equal<typeof call, ServerStreamingCall<RelayReply>>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply>>();
  }

  // @ts-expect-error another message
  leaf.serverStream(new RelayReply());
  // @ts-expect-error no such option
  leaf.serverStream(request, { timeout: 500 });
}

export async function clientStreamingCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.clientStream(requests, { timeoutMs: 500 });
  expectType<Equal<typeof call, ClientStreamingCall<RelayRequest, RelayReply>>>();
  const reply = await call;
  expectType<Equal<typeof reply, RelayReply>>();
  await leaf.clientStream().requests.send(request);

  // @ts-expect-error another message
  await leaf.clientStream().requests.send(new RelayReply());
  // @ts-expect-error no such option
  leaf.clientStream(requests, { timeout: 500 });
}

export async function duplexCalls(leaf: GrpcClient<LeafClient>): Promise<void> {
  const call = leaf.bidi(requests, { timeoutMs: 500 });
  expectType<Equal<typeof call, DuplexStreamingCall<RelayRequest, RelayReply>>>();
  for await (const reply of call) {
    expectType<Equal<typeof reply, RelayReply>>();
  }
  const byHand = leaf.bidi();
  expectType<Equal<typeof byHand, typeof call>>();

  // @ts-expect-error another message
  byHand.write(new RelayReply());
}

export function callbackForms(leaf: GrpcClient<LeafClient>): void {
  const call = leaf.unary(request, (error, reply) => {
    expectType<Equal<typeof error, ServiceError | null>>();
    expectType<Equal<typeof reply, RelayReply>>();
  });
  expectType<Equal<typeof call, ClientUnaryCall>>();
  leaf.unary(request, metadata, { timeoutMs: 500 }, (_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
  const writable = leaf.clientStream((_error, reply) => expectType<Equal<typeof reply, RelayReply>>());
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
