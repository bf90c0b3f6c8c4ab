// Not for applications: what `@grpc-di/testing` is made of. It may change with every release.
import { Client, connectivityState, credentials, type experimental, Metadata } from '@grpc/grpc-js';
import type { Container } from 'inversify';
import type { ServerStreamingCall, UnaryCall } from './call/calls.js';
import type { SurfaceCall } from './call/cancelling.js';
import type { GrpcClientConstructor } from './call/grpc-client.js';
import { ResponsePromise } from './call/response-promise.js';
import { rpcsOf, serviceNameOf } from './call/rpcs.js';
import { ServerStreamingStream } from './call/streaming-calls.js';
import type { CallTarget } from './propagation/call-target.js';
import { Invocation } from './propagation/invocation.js';
import { registrationsOf } from './registration/class-registrations.js';
import type { GrpcClientOptions } from './registration/client-options.js';
import { createGrpcClient } from './registration/create-grpc-client.js';

type CallStream = experimental.CallStream;

/** A real unary call, that of an injected client, for which grpc-js gets `transport` instead of one to a server. */
export function startUnaryCall<Response>(transport: CallStream): UnaryCall<Response> {
  const call = new ResponsePromise<Response>();
  clientOf(call, transport).makeUnaryRequest(PATH, asIs, asIs, undefined, new Metadata(), {}, call.callback() as never);
  return call;
}

/** A real server streaming call, that of an injected client, for which grpc-js gets `transport` instead of one to a server. */
export function startServerStreamingCall<Response>(transport: CallStream): ServerStreamingCall<Response> {
  const call = new ServerStreamingStream(asIs);
  clientOf(call, transport).makeServerStreamRequest(PATH, asIs, asIs, undefined);
  return call as unknown as ServerStreamingCall<Response>;
}

/** A registration that can be taken back. */
export interface RemovableClient {
  /**
   * Cancels the registration's running calls and closes its channel; takes the class out of the container, unless that
   * has other registrations of it that are open.
   */
  remove(because: string): Promise<void>;
}

/** `createGrpcClient`, for a registration that is to be taken back. */
export function createRemovableClient<C extends Client>(
  container: Container,
  client: GrpcClientConstructor<C>,
  options: GrpcClientOptions,
): RemovableClient {
  createGrpcClient(container, client, options);
  const name = options.name ?? serviceNameOf(rpcsOf(client))!;
  const registrations = registrationsOf(container, client)!;
  return {
    async remove(because) {
      await registrations.byName.get(name)!.close(`gRPC client '${name}' is closed: ${because}`, true);
      const all = [...registrations.byName.values()];
      if (!registrations.isUnbound && all.every(({ channel }) => channel.closedBecause !== undefined)) {
        await (container.unbind(client) as Promise<void> | void); // a promise in inversify 7
      }
    },
  };
}

const PATH = '/grpc_di.testing.Mocked/Call';

/** A grpc-js client of one call, which is represented by our call object. */
function clientOf(call: SurfaceCall, transport: CallStream): Client {
  call.invocation = new Invocation(
    new MockedTarget(transport),
    undefined,
    undefined,
    undefined,
    Infinity,
    false,
    'listeners',
  );
  return new Client(MOCKED, credentials.createInsecure(), {
    channelOverride: call.invocation,
    callInvocationTransformer: (properties) => ({ ...properties, call: call as unknown as typeof properties.call }),
  });
}

const MOCKED = 'mocked';

/** Where a mocked call goes. */
class MockedTarget implements CallTarget {
  readonly client = MOCKED;
  readonly closedBecause = undefined;
  readonly maySendCallCredentials = true;
  readonly hasCallCredentials = false;

  constructor(private readonly transport: CallStream) {}

  open(): this {
    return this;
  }

  createCall(): CallStream {
    return this.transport;
  }

  explainUnavailable(details: string): string {
    return details;
  }

  getTarget(): string {
    return MOCKED;
  }

  getConnectivityState(): connectivityState {
    return connectivityState.READY;
  }

  credentialsFor(): undefined {}

  callStarted(): void {}
  callEnded(): void {}
  close(): void {}
  watchConnectivityState(): void {}

  getChannelzRef(): never {
    throw new Error('a mocked call has no channel');
  }
}

/** What nobody sends need not be serialized. */
function asIs<T>(message: T): never {
  return message as never;
}
