import type { Channel, Interceptor } from '@grpc/grpc-js';
import type { Container, ServiceIdentifier } from 'inversify';
import { type CallDefaults, callDefaults } from '../call/call-defaults.js';
import { DecoratedChannel } from '../call/decorated-channel.js';
import { ClientChannel } from '../channel/client-channel.js';
import type { ClientCredentials } from '../channel/provided-credentials.js';
import type { RegisteredChannel } from '../channel/registered-channel.js';
import { ParentFinder } from '../propagation/parent-call.js';
import { propagationPolicy } from '../propagation/propagation-options.js';
import { calling } from './calling.js';
import { naming } from './check-client-options.js';
import type { ClientKind } from './client-kind.js';
import type { GrpcClientOptions } from './client-options.js';
import {
  callCredentialsOf,
  identifierInWords,
  interceptorsOf,
  type Parts,
  partsPerChannel,
  partsPerClient,
} from './container-parts.js';
import { checkCreated } from './custom-client.js';

/** Whose clients they are. */
interface Owner {
  readonly name: string;
  /** For messages. */
  readonly owner: string;
  readonly kind: ClientKind;
}

/** What the options amount to, from the first use on. */
interface Settled {
  readonly defaults: CallDefaults;
  readonly channelInterceptors: readonly Interceptor[];
  readonly parents: ParentFinder | undefined;
  /** What each client is made with. */
  readonly clientParts: ReadonlySet<ServiceIdentifier>;
}

/** What one client is made with. */
interface WithParts {
  readonly defaults: CallDefaults;
  readonly credentials: readonly ClientCredentials[];
}

/** Makes the client objects of a registration. */
export class ClientMaker {
  private settled: Settled | undefined;
  /** Where no client has objects of the container to itself: one is made for every served call that asks for one. */
  private sameForAll: WithParts | undefined;
  /** The interceptor that is being resolved. */
  private resolving: ServiceIdentifier | undefined;

  constructor(
    private readonly of: Owner,
    /** With the defaults for all clients; checked. */
    private readonly options: GrpcClientOptions,
    private readonly container: Container,
  ) {}

  /**
   * @param parts the objects of the container that this client is made with.
   * @throws Error that names the client, for parts that are missing or wrong, and what the user's code throws.
   */
  make(channel: RegisteredChannel, parts: Parts): object {
    const settled = (this.settled ??= this.settle());
    const { defaults, credentials } = this.sameForAll ?? this.withParts(settled, parts);
    const inClearText = this.options.unsafeUseInsecureChannelCallCredentials;
    return this.create(new ClientChannel(this.of.name, channel, settled.parents, credentials, inClearText), defaults);
  }

  /** @throws what {@link make} throws, but for objects that depend on who asks: those it only looks up. */
  validate(): void {
    this.settled ??= this.settle();
    for (const identifier of this.settled.clientParts) {
      this.checkBound(this.container.isBound(identifier), identifier);
    }
  }

  private withParts({ defaults, channelInterceptors, clientParts }: Settled, parts: Parts): WithParts {
    const { options } = this;
    for (const identifier of clientParts) {
      this.checkBound(parts.get(identifier) !== undefined, identifier);
    }
    const complete = naming(this.of.owner, () => {
      const interceptors = [...interceptorsOf(options, 'client', parts), ...channelInterceptors];
      return {
        defaults: interceptors.length === 0 ? defaults : { ...defaults, interceptors },
        credentials: callCredentialsOf(options, parts),
      };
    });
    if (clientParts.size === 0) {
      this.sameForAll = complete;
    }
    return complete;
  }

  private create(channel: ClientChannel, defaults: CallDefaults): object {
    const { kind, owner } = this.of;
    const { createClient } = this.options;
    if (createClient === undefined) {
      return kind.create!(channel, defaults);
    }
    const decorated = new DecoratedChannel(channel, defaults, kind.rpcs) as unknown as Channel;
    const created = calling(owner, () => createClient(decorated, this.container));
    return naming(owner, () => checkCreated(created, kind));
  }

  private settle(): Settled {
    const { options } = this;
    const { name, owner, kind } = this.of;
    const parts = new Map(
      [...partsPerChannel(options)].map((identifier) => [identifier, this.interceptorUnder(identifier)]),
    );
    const { enableCallContextPropagation: propagation } = options;
    return {
      defaults: callDefaults(options, kind.rpcs),
      channelInterceptors: naming(owner, () => interceptorsOf(options, 'channel', parts)),
      parents: propagation ? new ParentFinder(name, propagationPolicy(propagation)) : undefined,
      clientParts: partsPerClient(options),
    };
  }

  /** It may need other clients, which may have it as an interceptor too: inversify sees a circle only within a request. */
  private interceptorUnder(identifier: ServiceIdentifier): unknown {
    const { owner } = this.of;
    if (this.resolving !== undefined) {
      throw new Error(
        `${owner}: its interceptor ${identifierInWords(this.resolving)} needs the client itself: give it one of ` +
          'another name, registered without that interceptor',
      );
    }
    this.checkBound(this.container.isBound(identifier), identifier);
    this.resolving = identifier;
    try {
      return calling(owner, () => this.container.get(identifier));
    } finally {
      this.resolving = undefined;
    }
  }

  private checkBound(isBound: boolean, identifier: ServiceIdentifier): void {
    if (!isBound) {
      const words = identifierInWords(identifier);
      const to = typeof identifier === 'function' ? '.toSelf()' : '.to(...)';
      throw new Error(
        `${this.of.owner}: its options name ${words}, which is not bound: write container.bind(${words})${to}`,
      );
    }
  }
}
