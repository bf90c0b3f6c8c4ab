import type { Channel } from '@grpc/grpc-js';
import { type ChannelSettings, ManagedChannel } from './managed-channel.js';

/**
 * Channels whose addresses come with the calls, such as those of tenants: the least recently used one that has no
 * running call is disconnected when there are more than `limit`. Clients on it stay good: their next call connects anew.
 */
export class ChannelCache {
  /** The connected ones; the least recently used first. */
  private readonly connected = new Map<string, CachedChannel>();
  /** Those too that a client holds, not connected yet or no more: one key never has two channels. */
  private readonly held = new Map<string, WeakRef<CachedChannel>>();
  private readonly collected = new FinalizationRegistry<string>((key) => {
    if (this.held.get(key)?.deref() === undefined) {
      this.held.delete(key);
    }
  });

  constructor(private readonly limit: number) {}

  /** The channel under `key`, made of what `resolveSettings` returns where there is none yet. */
  get(key: string, resolveSettings: () => ChannelSettings, releasedBecause: () => string | undefined): ManagedChannel {
    const known = this.held.get(key)?.deref();
    if (known !== undefined) {
      return known;
    }
    const channel = new CachedChannel(resolveSettings, releasedBecause, (opened) => this.use(key, opened));
    this.held.set(key, new WeakRef(channel));
    this.collected.register(channel, key);
    return channel;
  }

  /** The connected ones. */
  *[Symbol.iterator](): Iterator<ManagedChannel> {
    yield* this.connected.values();
  }

  private use(key: string, channel: CachedChannel): void {
    this.connected.delete(key);
    this.connected.set(key, channel);
    if (this.connected.size > this.limit) {
      this.evict(channel);
    }
  }

  /** More than one, where all were busy before. */
  private evict(inUse: CachedChannel): void {
    for (const [key, channel] of this.connected) {
      if (channel !== inUse && channel.isIdle) {
        this.connected.delete(key);
        channel.release();
      }
      if (this.connected.size <= this.limit) {
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
