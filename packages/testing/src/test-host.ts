import { type Client, credentials, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { GrpcClientConstructor, GrpcClientOptions } from '@grpc-di/client-factory';
import { createRemovableClient, type RemovableClient } from '@grpc-di/client-factory/for-testing';
import { addGrpcService, callContextInterceptor } from '@grpc-di/server';
import type { Container, Newable } from 'inversify';

/** What `configure` of {@link startTestHost} puts on the host. */
export interface TestHostSetup {
  /** Hosts an injectable class, as `addGrpcService` does. */
  addService(this: void, service: ServiceDefinition, implementation: Newable<object>): void;
  /**
   * Registers a client of the host, as `createGrpcClient` does, with the call context propagated where there is one.
   * `options` win; those of `enableCallContextPropagation` one by one.
   */
  addClient<C extends Client>(this: void, client: GrpcClientConstructor<C>, options?: GrpcClientOptions): void;
}

/** Services and clients in one process, until it is disposed. */
export interface TestHost extends AsyncDisposable {
  /** `127.0.0.1:port`, for clients that are not registered with the host. */
  readonly address: string;
  /**
   * Cancels what is still running, closes the clients' channels, takes the clients out of the container, and closes the
   * server. Resolves when no connection is open.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Hosts services on a private address, a port of this machine that was free, and registers their clients in the
 * container: real calls between real parts, with nothing else running. Services may call each other.
 *
 * @example
 * await using host = await startTestHost(container, ({ addService, addClient }) => {
 *   addService(UsersService, Users);
 *   addClient(UsersClient);
 * });
 * const user = await getGrpcClient(container, UsersClient).getUser({ id: '1' });
 *
 * @throws (rejects with) what `configure`, `addService` or `addClient` throws, and TypeError for arguments that are not
 * what they should be. Then nothing is left open.
 */
export async function startTestHost(container: Container, configure: (host: TestHostSetup) => void): Promise<TestHost> {
  check(typeof container?.bind === 'function', 'container must be an inversify Container', container);
  check(typeof configure === 'function', 'configure must be a function', configure);
  const server = new Server({ interceptors: [callContextInterceptor()] });
  const clients: RemovableClient[] = [];
  const close = async (): Promise<void> => {
    try {
      await Promise.all(clients.map((client) => client.remove('its test host was disposed')));
    } finally {
      await closeServer(server);
    }
  };
  try {
    const address = `127.0.0.1:${await listen(server)}`;
    runConfigure(configure, {
      addService: (service, implementation) => addGrpcService(server, container, service, implementation),
      addClient: (client, options = {}) =>
        void clients.push(createRemovableClient(container, client, clientOptions(address, options))),
    });
    return { address, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) {
        resolve(port);
      } else {
        reject(new Error(`startTestHost could not listen on 127.0.0.1: ${error.message}`, { cause: error }));
      }
    });
  });
}

/** Only `configure` configures: what comes later would miss its tests, or outlive the host. */
function runConfigure(configure: (host: TestHostSetup) => unknown, setup: TestHostSetup): void {
  let isOpen = true;
  const checkOpen = (name: string): void => {
    if (!isOpen) {
      throw new Error(`startTestHost: ${name} was called after configure had returned: call it inside`);
    }
  };
  try {
    const returned = configure({
      addService(...args) {
        checkOpen('addService');
        setup.addService(...args);
      },
      addClient(...args) {
        checkOpen('addClient');
        setup.addClient(...args);
      },
    });
    if (isThenable(returned)) {
      returned.then(undefined, () => {});
      throw new TypeError(
        'startTestHost(container, configure): configure must not be async: await what it needs before startTestHost',
      );
    }
  } finally {
    isOpen = false;
  }
}

/** The host's own, under the user's. They also win over those of an earlier registration, of the application itself for one. */
/** Connections are shared by address: one to an earlier host may be backing off that had the same port. */
const OWN_CONNECTIONS = { 'grpc.use_local_subchannel_pool': 1 };

function clientOptions(address: string, options: GrpcClientOptions): GrpcClientOptions {
  if (typeof options !== 'object' || options === null) {
    return options; // createGrpcClient's to complain of
  }
  const { address: elsewhere, channelOptions, enableCallContextPropagation: propagation = {} } = options;
  const isHere = elsewhere === undefined && !('channel' in options);
  return {
    ...(isHere && { credentials: credentials.createInsecure() }),
    ...options,
    ...(isHere && { address, channelOptions: { ...OWN_CONNECTIONS, ...channelOptions } }),
    enableCallContextPropagation:
      typeof propagation === 'object' && propagation !== null
        ? { onContextNotFound: 'ignore', ...propagation }
        : propagation,
  };
}

/** Waits for the sockets to be closed, after having cut what would keep them open. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.tryShutdown(() => resolve());
    server.forceShutdown();
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | undefined)?.then === 'function';
}

function check(valid: boolean, rule: string, wrong: unknown): void {
  if (!valid) {
    throw new TypeError(`startTestHost(container, configure): ${rule}, not ${describeValue(wrong)}`);
  }
}
