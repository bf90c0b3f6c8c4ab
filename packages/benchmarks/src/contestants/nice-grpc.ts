import { type CallContext, createChannel, createClientFactory, createServer } from 'nice-grpc';
import { deadlineMiddleware } from 'nice-grpc-client-middleware-deadline';
import type { Contestant, Frontend } from './contestant.js';
import {
  type Batch,
  type ChainClient,
  ChainDefinition,
  type ChainServiceImplementation,
  type Count,
  FrontendDefinition,
  type FrontendServiceImplementation,
  type GetUserRequest,
  type UsersClient,
  UsersDefinition,
} from './generated/nice-grpc/bench/v1/bench.js';

/**
 * A handler learns nothing of its call's deadline: nice-grpc's `CallContext` has none, and the timeout is not among its
 * metadata. What users can pass on is the signal. (The client's deadline middleware is a timer of the client: a deadline
 * that it is given is not sent either.)
 */
export const contestant: Contestant = {
  name: 'nice-grpc, signal by hand',
  packages: ['nice-grpc', 'nice-grpc-client-middleware-deadline'],
  passesOn: { deadline: false, cancellation: true },
  startFrontend,
};

async function startFrontend(upstream: string): Promise<Frontend> {
  const channel = createChannel(upstream);
  const clients = createClientFactory().use(deadlineMiddleware);

  const server = createServer();
  server.add(FrontendDefinition, frontendOf(clients.create(UsersDefinition, channel)));
  server.add(ChainDefinition, linkTo(clients.create(ChainDefinition, channel)));
  const port = await server.listen('127.0.0.1:0');
  return {
    port,
    async close() {
      server.forceShutdown();
      channel.close();
    },
  };
}

function frontendOf(users: UsersClient): FrontendServiceImplementation {
  return {
    async greet(request: GetUserRequest, { signal }: CallContext) {
      return await users.getUser(request, { signal });
    },

    async readList(request: Count, { signal }: CallContext) {
      let count = 0;
      for await (const _ of users.listUsers(request, { signal })) {
        count++;
      }
      return { count };
    },

    async readChat(request: Count, { signal }: CallContext) {
      let count = 0;
      for await (const _ of users.chat(requests(request.count), { signal })) {
        count++;
      }
      return { count };
    },

    async *follow(batches: AsyncIterable<Batch>, { signal }: CallContext) {
      for await (const { calls, inFlight } of batches) {
        let started = 0;
        const oneAfterTheOther = async () => {
          while (started < calls) {
            started++;
            await users.getUser({ id: 'ada' }, { signal });
          }
        };
        await Promise.all(Array.from({ length: inFlight }, oneAfterTheOther));
        yield { count: calls };
      }
    },
  };
}

function linkTo(next: ChainClient): ChainServiceImplementation {
  return {
    hold: async (request, { signal }) => await next.hold(request, { signal }),
  };
}

async function* requests(count: number): AsyncIterable<GetUserRequest> {
  for (let sent = 0; sent < count; sent++) {
    yield { id: 'ada' };
  }
}
