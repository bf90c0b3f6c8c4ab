import 'reflect-metadata';
import { credentials, Server, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { createGrpcClient, GrpcClientFactory } from '@grpc-di/client-factory';
import { callContextInterceptor } from '@grpc-di/server';
import { Container } from 'inversify';
import {
  type Batch,
  ChainClient,
  ChainService,
  type Count,
  FrontendService,
  type GetUserRequest,
  type HoldReply,
  type HoldRequest,
  type User,
  UsersClient,
} from '../generated/bench/v1/bench.js';
import type { Contestant, Frontend } from './contestant.js';
import { listen } from './grpc-js-frontend.js';

/** What changes in a grpc-js service that is there already: an interceptor, and where its clients come from. */
export const contestant: Contestant = {
  name: 'grpc-di, callbacks',
  packages: ['@grpc-di/client-factory', '@grpc-di/server', '@grpc/grpc-js', 'inversify', 'reflect-metadata'],
  passesOn: { deadline: true, cancellation: true },
  startFrontend,
};

async function startFrontend(upstream: string): Promise<Frontend> {
  const container = new Container();
  const options = {
    address: upstream,
    credentials: credentials.createInsecure(),
    enableCallContextPropagation: true,
  };
  createGrpcClient(container, UsersClient, options);
  createGrpcClient(container, ChainClient, options);
  const users = container.get(UsersClient);
  const chain = container.get(ChainClient);

  const server = new Server({ interceptors: [callContextInterceptor()] });
  server.addService(FrontendService, {
    greet(call: ServerUnaryCall<GetUserRequest, User>, callback: sendUnaryData<User>) {
      users.getUser(call.request, callback);
    },

    readList(call: ServerUnaryCall<Count, Count>, callback: sendUnaryData<Count>) {
      let count = 0;
      users
        .listUsers(call.request)
        .on('data', () => count++)
        .on('error', callback)
        .on('end', () => callback(null, { count }));
    },

    readChat(call: ServerUnaryCall<Count, Count>, callback: sendUnaryData<Count>) {
      let count = 0;
      const chat = users
        .chat()
        .on('data', () => count++)
        .on('error', callback)
        .on('end', () => callback(null, { count }));
      for (let sent = 0; sent < call.request.count; sent++) {
        chat.write({ id: 'ada' });
      }
      chat.end();
    },

    follow(call: ServerDuplexStream<Batch, Count>) {
      call.on('data', ({ calls, inFlight }: Batch) => {
        let started = 0;
        let ended = 0;
        const next = () => {
          started++;
          users.getUser({ id: 'ada' }, (error) => {
            if (error) {
              call.destroy(error);
            } else if (++ended === calls) {
              call.write({ count: calls });
            } else if (started < calls) {
              next();
            }
          });
        };
        while (started < Math.min(calls, inFlight)) {
          next();
        }
      });
      call.on('end', () => call.end());
    },
  });
  server.addService(ChainService, {
    hold(call: ServerUnaryCall<HoldRequest, HoldReply>, callback: sendUnaryData<HoldReply>) {
      chain.hold(call.request, callback);
    },
  });

  const port = await listen(server);
  return {
    port,
    async close() {
      server.forceShutdown();
      await container.get(GrpcClientFactory).close();
    },
  };
}
