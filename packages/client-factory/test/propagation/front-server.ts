import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { credentials, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { type CallContextScope, surroundingScope } from '@grpc-di/call-context/opener';
import { callContextInterceptor } from '@grpc-di/server';
import {
  CASE_KEY,
  type CallKind,
  RelayClient,
  type RelayReply,
  type RelayRequest,
  type RelayServer,
  RelayService,
  type RunningServer,
  startServer,
} from '@grpc-di/test-rig';

export const REQUEST: RelayRequest = { id: 'request', script: '', path: [] };
const REPLY: RelayReply = { id: 'front', text: '', deadline: 0 };

/** A call that the front server is handling, from both of its ends. */
export interface ParentCall {
  /** Runs `fn` in the handler's async context. */
  run<T>(fn: () => T): T;
  readonly scope: CallContextScope;
  /** The handler answers. */
  complete(): void;
  /** The client's call. */
  readonly client: { cancel(): void; readonly ended: Promise<StatusObject> };
}

/** A bare grpc-js server with nothing but the interceptor, whose handlers wait for what a test makes of them. */
export interface FrontServer extends RunningServer {
  /** Calls the server with a bare grpc-js client, and resolves when the handler runs. */
  open(kind: CallKind, caseId: string, options?: { deadline?: number; address?: string }): Promise<ParentCall>;
}

export async function startFront(): Promise<FrontServer> {
  const entered = new EventEmitter().setMaxListeners(0);
  const clients: RelayClient[] = [];

  function enter(metadata: Metadata, complete: () => void): void {
    const handler = { run: AsyncLocalStorage.snapshot(), scope: surroundingScope(), complete };
    entered.emit(String(metadata.get(CASE_KEY)[0]), handler);
  }

  const handlers: RelayServer = {
    unary: (call, respond) => enter(call.metadata, () => respond(null, REPLY)),
    serverStream: (call) => enter(call.metadata, () => call.end()),
    clientStream: (call, respond) => {
      call.resume();
      enter(call.metadata, () => respond(null, REPLY));
    },
    bidi: (call) => {
      call.resume();
      enter(call.metadata, () => call.end());
    },
  };
  const running = await startServer((server) => server.addService(RelayService, handlers), {
    interceptors: [callContextInterceptor()],
  });
  return {
    ...running,
    async open(kind, caseId, { deadline, address = running.address } = {}) {
      const client = new RelayClient(address, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': address === running.address ? 0 : 1,
      });
      clients.push(client);
      const metadata = new Metadata();
      metadata.set(CASE_KEY, caseId);
      const isEntered = once(entered, caseId);
      const call = startBareCall(client, kind, metadata, deadline ?? Infinity);
      const [handler] = (await isEntered) as [Pick<ParentCall, 'run' | 'scope' | 'complete'>];
      return { ...handler, client: call };
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) {
        client.close();
      }
      await running[Symbol.asyncDispose]();
    },
  };
}

function startBareCall(
  client: RelayClient,
  kind: CallKind,
  metadata: Metadata,
  deadline: number,
): ParentCall['client'] {
  const ignore = (_error: ServiceError | null): void => {};
  const call = {
    unary: () => client.unary(REQUEST, metadata, { deadline }, ignore),
    serverStream: () => client.serverStream(REQUEST, metadata, { deadline }).on('error', ignore).resume(),
    clientStream: () => client.clientStream(metadata, { deadline }, ignore),
    bidi: () => client.bidi(metadata, { deadline }).on('error', ignore).resume(),
  }[kind]();
  const ended = new Promise<StatusObject>((resolve) => {
    call.on('status', resolve);
  });
  return { cancel: () => call.cancel(), ended };
}
