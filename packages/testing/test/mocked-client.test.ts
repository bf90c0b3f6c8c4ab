import 'reflect-metadata';
import { type ServiceError, status } from '@grpc/grpc-js';
import {
  type GrpcCallOptions,
  type GrpcClient,
  requireCallContext,
  type ServerStreamingCall,
  type UnaryCall,
} from '@grpc-di/client-factory';
import { LeafClient, type RelayReply, type RelayRequest } from '@grpc-di/test-rig';
import { failedCall, fakeCallContext, streamingCall, unaryCall } from '@grpc-di/testing';
import { expect, jest, test } from '@jest/globals';
import { Container, inject, injectable } from 'inversify';

// What the README shows: a class of the application, and its unit tests.

@injectable()
class Greeter {
  constructor(@inject(LeafClient) private readonly leaf: GrpcClient<LeafClient>) {}

  async greet(id: string): Promise<string> {
    requireCallContext().throwIfCancelled();
    try {
      const { text } = await this.leaf.unary(request(id), { timeoutMs: 500 });
      return `Hello ${text}`;
    } catch (error) {
      if ((error as ServiceError).code === status.NOT_FOUND) {
        return 'Hello stranger';
      }
      throw error;
    }
  }

  async greetAll(): Promise<string[]> {
    const greetings: string[] = [];
    for await (const { text } of this.leaf.serverStream(request('all'))) {
      greetings.push(`Hello ${text}`);
    }
    return greetings;
  }
}

function request(id: string): RelayRequest {
  return { id, script: '', path: [] };
}

function reply(text: string): RelayReply {
  return { id: '', text, deadline: 0 };
}

/** The class under test, with a client whose methods the test wrote; `tsc` checks what they take and return. */
function greeterWith(methods: {
  unary?: (request: RelayRequest) => UnaryCall<RelayReply>;
  serverStream?: (request: RelayRequest) => ServerStreamingCall<RelayReply>;
}): Greeter {
  return new Greeter(methods as GrpcClient<LeafClient>);
}

test('a client can be mocked with a function', async () => {
  const greeter = greeterWith({ unary: ({ id }) => unaryCall(reply(`user ${id}`)) });

  expect(await fakeCallContext().run(() => greeter.greet('7'))).toBe('Hello user 7');
});

test("a client can be mocked with jest's", async () => {
  const unary = jest.fn((_request: RelayRequest, _options?: GrpcCallOptions) => unaryCall(reply('Ada')));

  await fakeCallContext().run(() => greeterWith({ unary }).greet('7'));

  expect(unary).toHaveBeenCalledWith(request('7'), { timeoutMs: 500 });
});

test('a call can fail', async () => {
  const greeter = greeterWith({ unary: () => failedCall(status.NOT_FOUND, 'no user 7') });

  expect(await fakeCallContext().run(() => greeter.greet('7'))).toBe('Hello stranger');
});

test('a call can stream', async () => {
  const greeter = greeterWith({ serverStream: () => streamingCall([reply('Ada'), reply('Grace')]) });

  expect(await greeter.greetAll()).toEqual(['Hello Ada', 'Hello Grace']);
});

test('the context can be cancelled', async () => {
  const context = fakeCallContext();
  context.cancel();

  await expect(context.run(() => greeterWith({}).greet('7'))).rejects.toMatchObject({ code: status.CANCELLED });
});

test('a mocked client can be bound in the place of a real one', async () => {
  const container = new Container();
  const unary = (_request: RelayRequest): UnaryCall<RelayReply> => unaryCall(reply('Ada'));
  container.bind(LeafClient).toConstantValue({ unary } as GrpcClient<LeafClient>);

  const greeter = container.get(Greeter, { autobind: true });

  expect(await fakeCallContext().run(() => greeter.greet('7'))).toBe('Hello Ada');
});

// Nothing of this runs: tsc checks it.
export const mistakes = [
  // @ts-expect-error another message than the rpc responds with
  () => greeterWith({ unary: () => unaryCall({ name: 'Ada' }) }),
  // @ts-expect-error a promise, but no call
  () => greeterWith({ unary: async () => reply('Ada') }),
  // @ts-expect-error an rpc of another kind
  () => greeterWith({ serverStream: () => unaryCall(reply('Ada')) }),
];

// The types are those of the promise forms of a client's methods.
export const forms = (leaf: GrpcClient<LeafClient>): unknown => {
  let unary: ReturnType<typeof callUnary> = callUnary();
  unary = unaryCall(reply('Ada'));
  unary = failedCall(status.NOT_FOUND);
  let streaming: ReturnType<typeof callStreaming> = callStreaming();
  streaming = streamingCall([reply('Ada')]);
  return [unary, streaming];

  function callUnary() {
    return leaf.unary(request('7'));
  }
  function callStreaming() {
    return leaf.serverStream(request('7'));
  }
};
