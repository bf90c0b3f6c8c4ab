import { setImmediate } from 'node:timers';
import type { BindingIdentifier, Container } from 'inversify';
import { ManagedChannel } from '../channel/managed-channel.js';
import { channelSettings } from './channel-settings.js';
import { checkChannelOptions } from './check-client-options.js';
import { useDefaults } from './client-defaults.js';
import { type GrpcChannelOptions, mergeClientOptions } from './client-options.js';
import { unbindNow } from './unbind-now.js';

/** What a container has its channels under. */
const channelsIdentifier = Symbol('grpc-di channels');

/** A channel that clients share, under its name in one container. */
export class ChannelRegistration {
  readonly channel = new ManagedChannel(
    () => {
      const { credentials, channelOptions, serviceConfig } = useDefaults(this.container);
      const options = mergeClientOptions({ credentials, channelOptions, serviceConfig }, this.options);
      checkChannelOptions(options, this.owner);
      const example = `createGrpcChannel(container, '${this.name}', { address: 'https://users:50051' })`;
      return channelSettings(options, this.container, this.owner, example);
    },
    () => (this.isUnbound ? `${this.owner} is closed: its container has let go of it` : undefined),
  );

  private mayBeUnbound = false;

  private readonly binding: BindingIdentifier;

  constructor(
    readonly name: string,
    private readonly container: Container,
    readonly options: GrpcChannelOptions,
  ) {
    const bound = container
      .bind<ChannelRegistration>(channelsIdentifier)
      .toDynamicValue(() => this)
      .inSingletonScope();
    this.binding = bound.getIdentifier();
    bound.onDeactivation(() => this.letGo());
    this.hold();
  }

  /** For one that takes its place. */
  unbind(): void {
    unbindNow(this.container, this.binding);
  }

  /** For messages. */
  get owner(): string {
    return `gRPC channel '${this.name}'`;
  }

  /** @throws Error that names the channel, when it has no address, or anything else that cannot be used. */
  validate(): void {
    this.channel.prepare();
  }

  close(because: string, cancelCalls: boolean): Promise<void> {
    return this.channel.close(because, cancelCalls);
  }

  private get isUnbound(): boolean {
    return this.mayBeUnbound && !this.isHeld();
  }

  private isHeld(): boolean {
    return ownChannelsOf(this.container).includes(this);
  }

  /** inversify deactivates singletons that were resolved, and no others. */
  private hold(): void {
    ownChannelsOf(this.container);
  }

  /** Not for good: `restore()` brings back what a snapshot holds. */
  private letGo(): void {
    this.mayBeUnbound = true;
    setImmediate(() => {
      if (this.isHeld()) {
        this.mayBeUnbound = false;
      } else {
        this.channel.release();
      }
    });
  }
}

/** The channels of this very container. */
export function ownChannelsOf(container: Container): ChannelRegistration[] {
  return container.isCurrentBound(channelsIdentifier) ? container.getAll(channelsIdentifier) : [];
}

/** The channels of the container and of its parents, the nearest first. */
function channelsOf(container: Container): ChannelRegistration[] {
  return container.getAll(channelsIdentifier, { chained: true, optional: true });
}

/** @throws Error that lists the channels there are, when there is none of this name. */
export function channelNamed(container: Container, name: string, owner: string): ChannelRegistration {
  const channels = channelsOf(container);
  const found = channels.find((channel) => channel.name === name);
  if (found === undefined) {
    const known = [...new Set(channels.map((channel) => `'${channel.name}'`))].join(', ');
    throw new Error(
      `${owner}: there is no channel '${name}'${known === '' ? '' : `, only ${known}`}: write ` +
        `createGrpcChannel(container, '${name}', { address: 'https://users:50051' })`,
    );
  }
  return found;
}
