import { status } from '@grpc/grpc-js';
import type { GrpcService, ServerCallContext } from '@grpc-di/server';
import { type RelayReply, type RelayRequest, type RelayServer, RelayService } from '@grpc-di/test-rig';
import { expect, test } from '@jest/globals';
import { startCall } from '../bare-call.js';
import { reply, startHostedRelay } from '../hosted-relay.js';
import { type Equal, expectType } from './expect-type.js';
import type { LookupHandlers, LookupReply, LookupRequest__Output } from './proto-loader-handlers.js';

// The compiler checks this file; the tests below are for what is left of it at run time.

interface RelayMethods {
  unary: (request: RelayRequest, context: ServerCallContext) => Promise<RelayReply>;
  serverStream: (request: RelayRequest, context: ServerCallContext) => AsyncIterable<RelayReply>;
  clientStream: (requests: AsyncIterable<RelayRequest>, context: ServerCallContext) => Promise<RelayReply>;
  bidi: (requests: AsyncIterable<RelayRequest>, context: ServerCallContext) => AsyncIterable<RelayReply>;
}

interface LookupMethods {
  Unary: (request: LookupRequest__Output, context: ServerCallContext) => Promise<LookupReply>;
  ServerStream: (request: LookupRequest__Output, context: ServerCallContext) => AsyncIterable<LookupReply>;
  ClientStream: (requests: AsyncIterable<LookupRequest__Output>, context: ServerCallContext) => Promise<LookupReply>;
  Bidi: (requests: AsyncIterable<LookupRequest__Output>, context: ServerCallContext) => AsyncIterable<LookupReply>;
}

test('the methods of a class are those of the generated handlers, and no others', () => {
  // All four kinds, with nothing left of the index signature of UntypedServiceImplementation.
  expectType<Equal<Flat<GrpcService<RelayServer>>, Flat<RelayMethods>>>();
  expectType<Equal<Flat<GrpcService<LookupHandlers>>, Flat<LookupMethods>>>();
  expectType<Equal<keyof GrpcService<RelayServer>, 'unary' | 'serverStream' | 'clientStream' | 'bidi'>>();
  expectType<Equal<keyof GrpcService<LookupHandlers>, 'Unary' | 'ServerStream' | 'ClientStream' | 'Bidi'>>();
});

test('the compiler refuses methods of another kind, of other messages, and missing ones', () => {
  type Relay = GrpcService<RelayServer>;
  const unary: Relay['unary'] = async ({ id }, { method }) => reply(id + method);
  const serverStream: Relay['serverStream'] = async function* ({ id }) {
    yield reply(id);
  };
  const clientStream: Relay['clientStream'] = async (requests) => {
    for await (const { id } of requests) {
      return reply(id);
    }
    return reply();
  };
  const bidi: Relay['bidi'] = async function* (requests) {
    for await (const { id } of requests) {
      yield reply(id);
    }
  };
  const relay: Relay = { unary, serverStream, clientStream, bidi };

  // @ts-expect-error a method is missing
  const incomplete: Relay = { unary, serverStream, clientStream };
  // @ts-expect-error a single response is a promise
  const single: Relay['unary'] = serverStream;
  // @ts-expect-error streamed responses are an async iterable
  const streamed: Relay['bidi'] = clientStream;
  // @ts-expect-error a single request is no iterable
  const request: Relay['unary'] = clientStream;
  // @ts-expect-error the response has fields
  const other: Relay['unary'] = async () => ({ name: 'x' });
  // @ts-expect-error the context is a server call's
  const context: Relay['unary'] = async (_request, _call: { cancelEverything(): void }) => reply();

  expect([relay, incomplete, single, streamed, request, other, context]).toHaveLength(7);
});

class Relay implements GrpcService<RelayServer> {
  private readonly greeting = 'hello';

  async unary({ id }: RelayRequest, { deadline, trailers }: ServerCallContext): Promise<RelayReply> {
    trailers.set('x-deadline', String(deadline));
    return reply(`${this.greeting} ${id}`);
  }

  async *serverStream({ id }: RelayRequest): AsyncIterable<RelayReply> {
    yield reply(id);
  }

  async clientStream(requests: AsyncIterable<RelayRequest>): Promise<RelayReply> {
    let count = 0;
    for await (const _request of requests) {
      count++;
    }
    return reply(count);
  }

  async *bidi(requests: AsyncIterable<RelayRequest>): AsyncGenerator<RelayReply> {
    for await (const { id } of requests) {
      yield reply(id);
    }
  }
}

test('a class that implements them is what addGrpcService takes', async () => {
  await using relay = await startHostedRelay(Relay, { service: RelayService });

  const call = startCall(relay.client, 'unary');

  expect((await call.status).code).toBe(status.OK);
  expect(call.replies[0]!.text).toBe('hello request');
});

/** The members alone, so that mapped types and interfaces compare. */
type Flat<T> = { [Key in keyof T]: T[Key] };
