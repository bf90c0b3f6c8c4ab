import {
  type CallOptions,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
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
import type { Frontend } from './contestant.js';

type ServerCall = ServerUnaryCall<unknown, unknown> | ServerDuplexStream<unknown, unknown>;

/**
 * The frontend as grpc-js's own documentation writes services and clients.
 *
 * @param optionsOf what each child call is given of the call that is being served.
 */
export async function grpcJsFrontend(
  upstream: string,
  optionsOf: (call: ServerCall) => CallOptions,
  surrounding: <T>(handle: () => T) => T = (handle) => handle(),
): Promise<Frontend> {
  const users = new UsersClient(upstream, credentials.createInsecure());
  const chain = new ChainClient(upstream, credentials.createInsecure());
  const server = new Server();

  server.addService(FrontendService, {
    greet(call: ServerUnaryCall<GetUserRequest, User>, callback: sendUnaryData<User>) {
      surrounding(() => users.getUser(call.request, new Metadata(), optionsOf(call), callback));
    },

    readList(call: ServerUnaryCall<Count, Count>, callback: sendUnaryData<Count>) {
      surrounding(() => void countMessages(users.listUsers(call.request, optionsOf(call)), callback));
    },

    readChat(call: ServerUnaryCall<Count, Count>, callback: sendUnaryData<Count>) {
      surrounding(() => {
        const chat = users.chat(optionsOf(call));
        for (let sent = 0; sent < call.request.count; sent++) {
          chat.write({ id: 'ada' });
        }
        chat.end();
        void countMessages(chat, callback);
      });
    },

    follow(call: ServerDuplexStream<Batch, Count>) {
      call.on('data', ({ calls, inFlight }: Batch) => {
        surrounding(() => {
          let started = 0;
          let ended = 0;
          const next = () => {
            started++;
            users.getUser({ id: 'ada' }, new Metadata(), optionsOf(call), (error) => {
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
      });
      call.on('end', () => call.end());
    },
  });

  server.addService(ChainService, {
    hold(call: ServerUnaryCall<HoldRequest, HoldReply>, callback: sendUnaryData<HoldReply>) {
      surrounding(() => chain.hold(call.request, new Metadata(), optionsOf(call), callback));
    },
  });

  const port = await listen(server);
  return {
    port,
    async close() {
      server.forceShutdown();
      users.close();
      chain.close();
    },
  };
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

async function countMessages(messages: AsyncIterable<unknown>, callback: sendUnaryData<Count>): Promise<void> {
  let count = 0;
  try {
    for await (const _ of messages) {
      count++;
    }
  } catch (error) {
    callback(error as Error);
    return;
  }
  callback(null, { count });
}
