import type { Container } from 'inversify';
import { ChannelCache } from '../channel/channel-cache.js';
import { type ChannelSettings, ManagedChannel } from '../channel/managed-channel.js';
import type { RegisteredChannel } from '../channel/registered-channel.js';
import { SharedChannel } from '../channel/shared-channel.js';
import { channelNamed } from './channel-registration.js';
import { channelSettings } from './channel-settings.js';
import { checkClientOptions } from './check-client-options.js';
import { applyDefaults, useDefaults } from './client-defaults.js';
import type { ClientKind } from './client-kind.js';
import { ClientMaker } from './client-maker.js';
import { type GrpcClientOptions, mergeClientOptions } from './client-options.js';
import { checkOverrides, type GrpcClientOverrides, keyOf, overridesNothing } from './client-overrides.js';
import type { Parts } from './container-parts.js';

/** How many channels with overrides one client keeps connected. */
const MOST_OVERRIDDEN_CHANNELS = 100;

/** One client under one name: its options, its channel, and the objects made of it. */
export class ClientRegistration {
  private usedOptions: GrpcClientOptions | undefined;
  private usedChannel: RegisteredChannel | undefined;
  private maker: ClientMaker | undefined;
  private wasCreated = false;
  /** Made when it is needed, which for most clients is never: what it finalizes burdens the garbage collector. */
  private overridden: ChannelCache | undefined;
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
    await Promise.all([this.channel, ...(this.overridden ?? [])].map((channel) => channel.close(because, cancelCalls)));
  }

  /** The container has let go of it. */
  release(): void {
    for (const channel of [this.usedChannel, ...(this.overridden ?? [])]) {
      channel?.release();
    }
  }

  /** @throws what {@link createClient} throws, but for objects that depend on who asks: those it only looks up. */
  validate(): void {
    this.prepare(this.channel).validate();
  }

  /** With the defaults for all clients. */
  private get effectiveOptions(): GrpcClientOptions {
    return (this.usedOptions ??= applyDefaults(useDefaults(this.container), this.options));
  }

  private createClientOn(channel: RegisteredChannel, parts: Parts): object {
    const client = this.prepare(channel).make(channel, parts);
    this.wasCreated = true;
    channel.use();
    return client;
  }

  private channelFor({ channel }: GrpcClientOptions): RegisteredChannel {
    const releasedBecause = (): string | undefined => this.releasedBecause();
    return channel === undefined
      ? new ManagedChannel(() => this.settingsOf(this.effectiveOptions), releasedBecause)
      : new SharedChannel(() => channelNamed(this.container, channel, this.owner).channel, releasedBecause);
  }

  private overriddenChannel(overrides: GrpcClientOverrides, options: GrpcClientOptions): RegisteredChannel {
    this.overridden ??= new ChannelCache(MOST_OVERRIDDEN_CHANNELS);
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

  private prepare(channel: RegisteredChannel): ClientMaker {
    const options = this.effectiveOptions;
    if (this.maker === undefined) {
      checkClientOptions(options, this.owner, this.kind.rpcs);
      this.maker = new ClientMaker(this, options, this.container);
    }
    this.checkCallCredentials(options, channel.prepare());
    return this.maker;
  }

  private checkCallCredentials(options: GrpcClientOptions, { credentials, target }: ChannelSettings): void {
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

  private get example(): string {
    const nameOption = this.name === this.kind.serviceName ? '' : `name: '${this.name}', `;
    return `createGrpcClient(container, ${this.kind.name}, { ${nameOption}address: 'https://users:50051' })`;
  }
}
