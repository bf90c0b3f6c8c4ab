import type { Channel, Client } from '@grpc/grpc-js';
import { timeoutToDeadline } from '@grpc-di/call-context/opener';
import type { GrpcClient, GrpcClientConstructor } from '../call/grpc-client.js';
import type { ChannelRegistration } from './channel-registration.js';
import type { GrpcClientOverrides } from './client-overrides.js';
import type { ClientRegistration } from './client-registration.js';
import type { ClientRegistry } from './client-registry.js';
import { resolveClient, resolveOverriddenClient } from './get-grpc-client.js';
import { type Resolver, resolvingWith } from './module-container.js';

/**
 * The clients and channels of a container as a whole: for names and addresses known only at run time, and for start-up
 * and shutdown. Injectable wherever a client was registered.
 */
export abstract class GrpcClientFactory {
  /**
   * @param overrides an address or credentials for this client object alone, such as a tenant's. Its channel comes from a
   * cache: objects with equal addresses and the same credentials object share one, and of more than 100 per registration
   * the least recently used without a running call are disconnected, to be connected again by their next call.
   * @throws Error that lists the registered names, when the class is not registered under this one.
   */
  abstract createClient<C extends Client>(
    client: GrpcClientConstructor<C>,
    name?: string,
    overrides?: GrpcClientOverrides,
  ): GrpcClient<C>;

  /** grpc-js's channel of a client, or of `createGrpcChannel`; opened when it is not. @throws Error for an unknown name. */
  abstract getChannel(name: string): Channel;

  /**
   * Resolves every registration's address, credentials, shared channel and interceptors, without connecting.
   *
   * @throws AggregateError that lists all faults, one line each; its `errors` are the single ones.
   */
  abstract validate(): void;

  /**
   * Connects, and resolves when all channels (or those of `names`) are ready.
   *
   * @param options.timeoutMs milliseconds to wait at most; default 10,000.
   * @throws AggregateError that lists the clients that were not ready in time, or cannot be used.
   */
  abstract waitForReady(options?: { names?: string[]; timeoutMs?: number }): Promise<void>;

  /**
   * Closes every channel (or those of `names`): new calls fail with UNAVAILABLE. Resolves when the running calls have
   * ended, which they do on their own, or at once with `cancelCalls`. A client's name closes no channel that it shares, unless
   * that has the same name: then both are meant.
   */
  abstract close(options?: { names?: string[]; cancelCalls?: boolean }): Promise<void>;

  /** `await using`: {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const DEFAULT_READY_TIMEOUT_MS = 10_000;

export class ContainerGrpcClientFactory extends GrpcClientFactory {
  constructor(
    /** One of the container's. */
    private readonly registry: ClientRegistry,
    /** Of the container that asked for the factory: this one, or a child of it. */
    private readonly resolver: Resolver,
  ) {
    super();
  }

  createClient<C extends Client>(
    client: GrpcClientConstructor<C>,
    name?: string,
    overrides?: GrpcClientOverrides,
  ): GrpcClient<C> {
    return this.resolving(() =>
      overrides === undefined
        ? resolveClient(this.resolver, client, name, 'createClient')
        : resolveOverriddenClient(this.resolver, client, name, overrides),
    );
  }

  getChannel(name: string): Channel {
    return this.resolving(() => this.named([name])[0]!.channel.open());
  }

  validate(): void {
    const faults: unknown[] = [];
    this.resolving(() => {
      for (const registration of this.all()) {
        try {
          registration.validate();
        } catch (error) {
          faults.push(error);
        }
      }
    });
    throwAll(faults, 'cannot be used');
  }

  async waitForReady({
    names,
    timeoutMs = DEFAULT_READY_TIMEOUT_MS,
  }: {
    names?: string[];
    timeoutMs?: number;
  } = {}): Promise<void> {
    const deadline = timeoutToDeadline(timeoutMs, 'GrpcClientFactory.waitForReady: timeoutMs');
    const results = await Promise.allSettled(
      this.resolving(() =>
        (names === undefined ? this.all() : this.named(names)).map(async ({ channel, owner }) =>
          channel.waitForReady(deadline, owner),
        ),
      ),
    );
    const faults = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    throwAll(faults, 'are not ready');
  }

  async close({ names, cancelCalls = false }: { names?: string[]; cancelCalls?: boolean } = {}): Promise<void> {
    const closing = this.resolving(() =>
      (names === undefined ? this.allEver() : this.named(names)).map((registration) =>
        registration.close(`${registration.owner} is closed: GrpcClientFactory.close() was called`, cancelCalls),
      ),
    );
    await Promise.all(closing);
  }

  private all(): Registration[] {
    return this.registry.siblings().flatMap((registry) => [...registry.channels(), ...registry.all()]);
  }

  private allEver(): Registration[] {
    return this.registry.siblings().flatMap((registry) => [...registry.allEver(), ...registry.channels()]);
  }

  /** A client and a channel may have the same name; clients come first. */
  private named(names: readonly string[]): Registration[] {
    const registrations = this.registry.siblings().flatMap((registry) => [...registry.all(), ...registry.channels()]);
    return names.flatMap((name) => {
      const found = registrations.filter((candidate) => candidate.name === name);
      if (found.length === 0) {
        const known = registrations.map((candidate) => `'${candidate.name}'`).join(', ');
        throw new Error(`gRPC client or channel '${name}' is not registered; there are ${known || 'none'}`);
      }
      return found;
    });
  }

  /** The containers of modules can resolve meanwhile. */
  private resolving<T>(fn: () => T): T {
    return this.registry.siblings().reduceRight<() => T>(
      (inner, { container }) =>
        () =>
          resolvingWith(container, this.resolver, inner),
      fn,
    )();
  }
}

type Registration = ClientRegistration | ChannelRegistration;

function throwAll(faults: readonly unknown[], predicate: string): void {
  if (faults.length > 0) {
    const lines = faults.map((fault) => `- ${fault instanceof Error ? fault.message : String(fault)}`);
    throw new AggregateError(faults, `${faults.length} gRPC client(s) ${predicate}:\n${lines.join('\n')}`);
  }
}
