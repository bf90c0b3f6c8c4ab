import type { Channel } from '@grpc/grpc-js';
import type { RunningCall } from '../propagation/call-target.js';
import type { ChannelSettings } from './managed-channel.js';
import type { RegisteredChannel } from './registered-channel.js';
import { RunningCalls } from './running-calls.js';

/** One client's part of a channel that it shares with others: closing it closes no more than that part. */
export class SharedChannel implements RegisteredChannel {
  private readonly calls = new RunningCalls();
  private found: RegisteredChannel | undefined;
  /** Of those who wait for it to be ready. */
  private readonly waiting = new Set<() => void>();

  constructor(
    /** Runs until the first use: the channel may be registered anew until then. */
    private readonly find: () => RegisteredChannel,
    private readonly releasedBecause: () => string | undefined,
  ) {}

  get closedBecause(): string | undefined {
    return this.calls.closedBecause ?? this.releasedBecause() ?? this.found?.closedBecause;
  }

  get isInUse(): boolean {
    return this.found !== undefined || this.calls.closedBecause !== undefined;
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
    this.calls.started(call);
    this.channel.callStarted(call);
  }

  callEnded(call: RunningCall): void {
    this.calls.ended(call);
    this.channel.callEnded(call);
  }

  close(because: string, cancelCalls = false): Promise<void> {
    const drained = this.calls.close(because, cancelCalls);
    this.release();
    return drained;
  }

  release(): void {
    for (const stopWaiting of this.waiting) {
      stopWaiting();
    }
  }

  private get channel(): RegisteredChannel {
    return (this.found ??= this.find());
  }
}
