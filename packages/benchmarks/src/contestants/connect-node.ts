import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  type CallOptions,
  type Client,
  createClient,
  type HandlerContext,
  type ServiceImpl,
} from '@connectrpc/connect';
import { connectNodeAdapter, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import type { Contestant, Frontend } from './contestant.js';
import { Chain, Frontend as FrontendService, Users } from './generated/connect/bench/v1/bench_pb.js';

export const contestant: Contestant = {
  name: 'connect-node, signal and timeout by hand',
  packages: ['@connectrpc/connect', '@connectrpc/connect-node'],
  passesOn: { deadline: true, cancellation: true },
  startFrontend,
};

async function startFrontend(upstream: string): Promise<Frontend> {
  // A transport makes one itself; this one can be closed.
  const sessionManager = new Http2SessionManager(`http://${upstream}`);
  const transport = createGrpcTransport({ baseUrl: `http://${upstream}`, sessionManager });

  const server = createServer(
    connectNodeAdapter({
      routes(router) {
        router.service(FrontendService, frontendOf(createClient(Users, transport)));
        router.service(Chain, linkTo(createClient(Chain, transport)));
      },
    }),
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) {
        session.destroy();
      }
      await closed;
      sessionManager.abort();
    },
  };
}

function frontendOf(users: Client<typeof Users>): ServiceImpl<typeof FrontendService> {
  return {
    async greet(request, context) {
      return await users.getUser(request, optionsOf(context));
    },

    async readList({ count: wanted }, context) {
      let count = 0;
      for await (const _ of users.listUsers({ count: wanted }, optionsOf(context))) {
        count++;
      }
      return { count };
    },

    async readChat({ count: wanted }, context) {
      let count = 0;
      for await (const _ of users.chat(requests(wanted), optionsOf(context))) {
        count++;
      }
      return { count };
    },

    async *follow(batches, context) {
      for await (const { calls, inFlight } of batches) {
        let started = 0;
        const oneAfterTheOther = async () => {
          while (started < calls) {
            started++;
            await users.getUser({ id: 'ada' }, optionsOf(context));
          }
        };
        await Promise.all(Array.from({ length: inFlight }, oneAfterTheOther));
        yield { count: calls };
      }
    },
  };
}

function linkTo(next: Client<typeof Chain>): ServiceImpl<typeof Chain> {
  return {
    hold: async (request, context) => await next.hold(request, optionsOf(context)),
  };
}

function optionsOf(context: HandlerContext): CallOptions {
  return { signal: context.signal, timeoutMs: context.timeoutMs() };
}

async function* requests(count: number): AsyncIterable<{ id: string }> {
  for (let sent = 0; sent < count; sent++) {
    yield { id: 'ada' };
  }
}
