import type { Channel, Interceptor } from '@grpc/grpc-js';
import type { Container, ServiceIdentifier } from 'inversify';
import { type CallDefaults, callDefaults } from '../call/call-defaults.js';
import { DecoratedChannel } from '../call/decorated-channel.js';
import { ChannelCache } from '../channel/channel-cache.js';
import { ClientChannel } from '../channel/client-channel.js';
import { type ChannelSettings, ManagedChannel } from '../channel/managed-channel.js';
import type { RegisteredChannel } from '../channel/registered-channel.js';
import { SharedChannel } from '../channel/shared-channel.js';
import { ParentFinder } from '../propagation/parent-call.js';
import { propagationPolicy } from '../propagation/propagation-options.js';
import { calling } from './calling.js';
import { channelNamed } from './channel-registration.js';
import { channelSettings } from './channel-settings.js';
import { checkClientOptions, naming } from './check-client-options.js';
import { applyDefaults, useDefaults } from './client-defaults.js';
import type { ClientKind } from './client-kind.js';
import { type GrpcClientOptions, mergeClientOptions } from './client-options.js';
import { checkOverrides, type GrpcClientOverrides, keyOf, overridesNothing } from './client-overrides.js';
import {
  callCredentialsOf,
  identifierInWords,
  interceptorsOf,
  type Parts,
  partsPerChannel,
  partsPerClient,
} from './container-parts.js';
import { checkCreated } from './custom-client.js';

/** What the options amount to, from the first use on. */
interface Settled {
  readonly defaults: CallDefaults;
  readonly channelInterceptors: readonly Interceptor[];
  readonly parents: ParentFinder | undefined;
}

/** How many channels with overrides one client keeps connected. */
const MOST_OVERRIDDEN_CHANNELS = 100;

/** One client under one name: its options, its channel, and the objects made of it. */
export class ClientRegistration {
  private usedOptions: GrpcClientOptions | undefined;
  private usedChannel: RegisteredChannel | undefined;
  private isChecked = false;
  private wasCreated = false;
  private settled: Settled | undefined;
  /** The interceptor that is being resolved. */
  private resolving: ServiceIdentifier | undefined;
  private readonly overridden = new ChannelCache(MOST_OVERRIDDEN_CHANNELS);
  private closedBecause: string | undefined;

  constructor(
    readonly name: string,
    /** As registered, without the defaults for all clients. */
    readonly options: GrpcClientOptions,
    private readonly container: Container,
    readonly kind: ClientKind,
    private readonly isUnbound: () => boolean,
  ) {}

  /** For messages. */
  get owner(): string {
    return `gRPC client '${this.name}'`;
  }

  get isUsed(): boolean {
    return this.wasCreated || this.usedChannel?.isInUse === true;
  }

  get channel(): RegisteredChannel {
    return (this.usedChannel ??= this.channelFor(this.effectiveOptions));
  }

  /**
   * @param parts the objects of the container that this client is made with.
   * @throws Error that names the client, when it has no address, or anything else that cannot be used.
   */
  createClient(parts: Parts): object {
    return this.createClientOn(this.channel, parts);
  }

  /**
   * The same, on a channel of its own for these overrides, from a cache.
   *
   * @throws Error that names the client, also for a client that shares its channel.
   */
  createClientFor(overrides: GrpcClientOverrides, parts: () => Parts): object {
    checkOverrides(overrides, this.owner);
    if (overridesNothing(overrides)) {
      return this.createClient(parts());
    }
    const options = this.effectiveOptions;
    if (options.channel !== undefined) {
      throw new Error(
        `${this.owner}: it shares the channel '${options.channel}', and cannot be created with an address or credentials of ` +
          'its own: register it without channel',
      );
    }
    return this.createClientOn(this.overriddenChannel(overrides, options), parts());
  }

  /**
   * No more calls start, for good. The promise resolves when the running ones have ended, which they do on their own,
   * or at once with `cancelCalls`.
   */
  async close(because: string, cancelCalls: boolean): Promise<void> {
    this.closedBecause ??= because;
    await Promise.all([this.channel, ...this.overridden].map((channel) => channel.close(because, cancelCalls)));
  }

  /** The container has let go of it. */
  release(): void {
    for (const channel of [this.usedChannel, ...this.overridden]) {
      channel?.release();
    }
  }

  /** @throws what {@link createClient} throws, but for objects that depend on who asks: those it only looks up. */
  validate(): void {
    this.prepare(this.channel);
    this.settled ??= this.settle();
    for (const identifier of partsPerClient(this.effectiveOptions)) {
      this.checkBound(this.container.isBound(identifier), identifier);
    }
  }

  /** With the defaults for all clients. */
  private get effectiveOptions(): GrpcClientOptions {
    return (this.usedOptions ??= applyDefaults(useDefaults(this.container), this.options));
  }

  private createClientOn(channel: RegisteredChannel, parts: Parts): object {
    this.prepare(channel);
    const { defaults, channelInterceptors, parents } = (this.settled ??= this.settle());
    const options = this.effectiveOptions;
    for (const identifier of partsPerClient(options)) {
      this.checkBound(parts.get(identifier) !== undefined, identifier);
    }
    const client = naming(this.owner, () => {
      const view = new ClientChannel(
        this.name,
        channel,
        parents,
        callCredentialsOf(options, parts),
        options.unsafeUseInsecureChannelCallCredentials,
      );
      const interceptors = [...interceptorsOf(options, 'client', parts), ...channelInterceptors];
      return this.create(view, interceptors.length === 0 ? defaults : { ...defaults, interceptors });
    });
    this.wasCreated = true;
    channel.use();
    return client;
  }

  private create(channel: ClientChannel, defaults: CallDefaults): object {
    const { createClient } = this.effectiveOptions;
    if (createClient === undefined) {
      return this.kind.create!(channel, defaults);
    }
    const decorated = new DecoratedChannel(channel, defaults, this.kind.rpcs) as unknown as Channel;
    const created = calling(this.owner, () => createClient(decorated, this.container));
    return checkCreated(created, this.kind);
  }

  private settle(): Settled {
    const options = this.effectiveOptions;
    const { enableCallContextPropagation: propagation } = options;
    const parts = new Map(
      [...partsPerChannel(options)].map((identifier) => [identifier, this.interceptorUnder(identifier)]),
    );
    return {
      defaults: callDefaults(options, this.kind.rpcs),
      channelInterceptors: naming(this.owner, () => interceptorsOf(options, 'channel', parts)),
      parents: propagation ? new ParentFinder(this.name, propagationPolicy(propagation)) : undefined,
    };
  }

  /** It may need other clients, which may have it as an interceptor too: inversify sees a circle only within a request. */
  private interceptorUnder(identifier: ServiceIdentifier): unknown {
    if (this.resolving !== undefined) {
      throw new Error(
        `${this.owner}: its interceptor ${identifierInWords(this.resolving)} needs the client itself: give it one of ` +
          'another name, registered without that interceptor',
      );
    }
    this.checkBound(this.container.isBound(identifier), identifier);
    this.resolving = identifier;
    try {
      return calling(this.owner, () => this.container.get(identifier));
    } finally {
      this.resolving = undefined;
    }
  }

  private channelFor({ channel }: GrpcClientOptions): RegisteredChannel {
    const releasedBecause = (): string | undefined => this.releasedBecause();
    return channel === undefined
      ? new ManagedChannel(() => this.settingsOf(this.effectiveOptions), releasedBecause)
      : new SharedChannel(() => channelNamed(this.container, channel, this.owner).channel, releasedBecause);
  }

  private overriddenChannel(overrides: GrpcClientOverrides, options: GrpcClientOptions): RegisteredChannel {
    return this.overridden.get(
      keyOf(overrides),
      () => this.settingsOf(mergeClientOptions(options, overrides)),
      () => this.closedBecause ?? this.releasedBecause(),
    );
  }

  private settingsOf(options: GrpcClientOptions): ChannelSettings {
    return channelSettings(options, this.container, this.owner, this.example);
  }

  private releasedBecause(): string | undefined {
    return this.isUnbound() ? `${this.owner} is closed: its binding was removed from the container` : undefined;
  }

  private prepare(channel: RegisteredChannel): void {
    const options = this.effectiveOptions;
    if (!this.isChecked) {
      checkClientOptions(options, this.owner, this.kind.rpcs);
      this.isChecked = true;
    }
    const { credentials, target } = channel.prepare();
    if (
      options.callCredentials !== undefined &&
      options.callCredentials.length > 0 &&
      !options.unsafeUseInsecureChannelCallCredentials &&
      !credentials._isSecure()
    ) {
      throw new Error(
        `${this.owner}: it has call credentials, and its channel to ${target} is insecure: they would be sent in clear text. ` +
          'Use an https address or secure channel credentials, or, where nobody can listen, set ' +
          'unsafeUseInsecureChannelCallCredentials: true',
      );
    }
  }

  private checkBound(isBound: boolean, identifier: Parameters<typeof identifierInWords>[0]): void {
    if (!isBound) {
      const words = identifierInWords(identifier);
      const to = typeof identifier === 'function' ? '.toSelf()' : '.to(...)';
      throw new Error(
        `${this.owner}: its options name ${words}, which is not bound: write container.bind(${words})${to}`,
      );
    }
  }

  private get example(): string {
    const nameOption = this.name === this.kind.serviceName ? '' : `name: '${this.name}', `;
    return `createGrpcClient(container, ${this.kind.name}, { ${nameOption}address: 'https://users:50051' })`;
  }
}
