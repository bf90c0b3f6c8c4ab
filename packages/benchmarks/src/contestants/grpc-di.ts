import 'reflect-metadata';
import { credentials, Server } from '@grpc/grpc-js';
import { createGrpcClient, type GrpcClient, GrpcClientFactory } from '@grpc-di/client-factory';
import { addGrpcService, callContextInterceptor, type GrpcService } from '@grpc-di/server';
import { Container, inject, injectable } from 'inversify';
import {
  type Batch,
  ChainClient,
  type ChainServer,
  ChainService,
  type Count,
  type FrontendServer,
  FrontendService,
  type GetUserRequest,
  type HoldReply,
  type HoldRequest,
  type User,
  UsersClient,
} from '../generated/bench/v1/bench.js';
import type { Contestant, Frontend } from './contestant.js';
import { listen } from './grpc-js-frontend.js';

/** Injected clients, promises and `for await`, in classes from a container. */
export const contestant: Contestant = {
  name: 'grpc-di, promises',
  packages: ['@grpc-di/client-factory', '@grpc-di/server', '@grpc/grpc-js', 'inversify', 'reflect-metadata'],
  passesOn: { deadline: true, cancellation: true },
  startFrontend,
};

@injectable()
class FrontendOfUsers implements GrpcService<FrontendServer> {
  constructor(@inject(UsersClient) private readonly users: GrpcClient<UsersClient>) {}

  async greet(request: GetUserRequest): Promise<User> {
    return await this.users.getUser(request);
  }

  async readList(request: Count): Promise<Count> {
    let count = 0;
    for await (const _ of this.users.listUsers(request)) {
      count++;
    }
    return { count };
  }

  async readChat(request: Count): Promise<Count> {
    let count = 0;
    for await (const _ of this.users.chat(requests(request.count))) {
      count++;
    }
    return { count };
  }

  async *follow(batches: AsyncIterable<Batch>): AsyncIterable<Count> {
    for await (const { calls, inFlight } of batches) {
      let started = 0;
      const oneAfterTheOther = async () => {
        while (started < calls) {
          started++;
          await this.users.getUser({ id: 'ada' });
        }
      };
      await Promise.all(Array.from({ length: inFlight }, oneAfterTheOther));
      yield { count: calls };
    }
  }
}

@injectable()
class ChainLink implements GrpcService<ChainServer> {
  constructor(@inject(ChainClient) private readonly next: GrpcClient<ChainClient>) {}

  async hold(request: HoldRequest): Promise<HoldReply> {
    return await this.next.hold(request);
  }
}

function* requests(count: number): Iterable<GetUserRequest> {
  for (let sent = 0; sent < count; sent++) {
    yield { id: 'ada' };
  }
}

async function startFrontend(upstream: string): Promise<Frontend> {
  const container = new Container();
  const options = {
    address: upstream,
    credentials: credentials.createInsecure(),
    enableCallContextPropagation: true,
  };
  createGrpcClient(container, UsersClient, options);
  createGrpcClient(container, ChainClient, options);

  const server = new Server({ interceptors: [callContextInterceptor()] });
  addGrpcService(server, container, FrontendService, FrontendOfUsers);
  addGrpcService(server, container, ChainService, ChainLink);
  const port = await listen(server);
  return {
    port,
    async close() {
      server.forceShutdown();
      await container.get(GrpcClientFactory).close();
    },
  };
}
