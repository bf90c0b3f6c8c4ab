import type { Channel } from '@grpc/grpc-js';
import type { RunningCall } from '../propagation/call-target.js';
import { closeEnding } from '../propagation/endings.js';
import { CallCount } from './call-count.js';
import type { ChannelSettings, ManagedChannel } from './managed-channel.js';
import type { RegisteredChannel } from './registered-channel.js';

/** One client's part of a channel that it shares with others: closing it closes no more than that part. */
export class SharedChannel implements RegisteredChannel {
  private readonly count = new CallCount();
  private found: ManagedChannel | undefined;
  /** Of those who wait for it to be ready. */
  private readonly waiting = new Set<() => void>();

  constructor(
    /** Runs until the first use: the channel may be registered anew until then. */
    private readonly find: () => ManagedChannel,
    private readonly releasedBecause: () => string | undefined,
  ) {}

  get closedBecause(): string | undefined {
    return this.count.closedBecause ?? this.releasedBecause() ?? this.found?.closedBecause;
  }

  get isInUse(): boolean {
    return this.found !== undefined || this.count.closedBecause !== undefined;
  }

  prepare(): ChannelSettings {
    return (this.found ?? this.find()).prepare();
  }

  use(): void {
    this.channel.use();
  }

  open(): Channel {
    const { closedBecause } = this;
    if (closedBecause !== undefined) {
      throw new Error(closedBecause);
    }
    return this.channel.open();
  }

  async waitForReady(deadline: number, owner: string): Promise<void> {
    this.open();
    const ready = this.channel.waitForReady(deadline, owner);
    let stopWaiting!: () => void;
    const ended = new Promise<void>((resolve) => {
      stopWaiting = resolve;
    });
    this.waiting.add(stopWaiting);
    try {
      await Promise.race([ready, ended]);
      this.open();
      await ready;
    } finally {
      this.waiting.delete(stopWaiting);
    }
  }

  callStarted(call: RunningCall): void {
    this.count.started();
    call.part = this;
    this.channel.callStarted(call);
  }

  callEnded(call: RunningCall): void {
    this.count.ended();
    this.channel.callEnded(call);
  }

  close(because: string, cancelCalls = false): Promise<void> {
    const drained = this.count.close(because);
    if (cancelCalls) {
      this.found?.endCalls(closeEnding(because), this);
    }
    this.release();
    return drained;
  }

  release(): void {
    for (const stopWaiting of this.waiting) {
      stopWaiting();
    }
  }

  private get channel(): ManagedChannel {
    return (this.found ??= this.find());
  }
}
