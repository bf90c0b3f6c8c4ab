import type { Channel } from '@grpc/grpc-js';
import { type ChannelSettings, ManagedChannel } from './managed-channel.js';

/**
 * Channels whose addresses come with the calls, such as those of tenants: the least recently used one that has no
 * running call is disconnected when there are more than `limit`. Clients on it stay good: their next call connects anew.
 */
export class ChannelCache {
  /** The least recently used first. */
  private readonly channels = new Map<string, CachedChannel>();

  constructor(private readonly limit: number) {}

  /** The channel under `key`, made of what `resolveSettings` returns where there is none yet. */
  get(key: string, resolveSettings: () => ChannelSettings, releasedBecause: () => string | undefined): ManagedChannel {
    return (
      this.channels.get(key) ?? new CachedChannel(resolveSettings, releasedBecause, (channel) => this.use(key, channel))
    );
  }

  *[Symbol.iterator](): Iterator<ManagedChannel> {
    yield* this.channels.values();
  }

  private use(key: string, channel: CachedChannel): void {
    this.channels.delete(key);
    this.channels.set(key, channel);
    if (this.channels.size > this.limit) {
      this.evict(channel);
    }
  }

  private evict(inUse: CachedChannel): void {
    for (const [key, channel] of this.channels) {
      if (channel !== inUse && channel.isIdle) {
        this.channels.delete(key);
        channel.release();
        return;
      }
    }
  }
}

class CachedChannel extends ManagedChannel {
  constructor(
    resolveSettings: () => ChannelSettings,
    releasedBecause: () => string | undefined,
    private readonly onUse: (channel: CachedChannel) => void,
  ) {
    super(resolveSettings, releasedBecause);
  }

  override open(): Channel {
    const channel = super.open();
    this.onUse(this);
    return channel;
  }
}
