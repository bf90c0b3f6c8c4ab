import type { Channel } from '@grpc/grpc-js';
import type { RunningCall } from '../propagation/call-target.js';
import type { ChannelSettings } from './managed-channel.js';
import type { RegisteredChannel } from './registered-channel.js';
import { RunningCalls } from './running-calls.js';

/** One client's part of a channel that it shares with others: closing it closes no more than that part. */
export class SharedChannel implements RegisteredChannel {
  private readonly calls = new RunningCalls();
  private found: RegisteredChannel | undefined;
  private wasOpened = false;

  constructor(
    /** Runs at the first use. */
    private readonly find: () => RegisteredChannel,
    private readonly releasedBecause: () => string | undefined,
  ) {}

  get closedBecause(): string | undefined {
    return this.calls.closedBecause ?? this.releasedBecause() ?? this.found?.closedBecause;
  }

  get isInUse(): boolean {
    return this.wasOpened || this.calls.closedBecause !== undefined;
  }

  prepare(): ChannelSettings {
    return this.channel.prepare();
  }

  open(): Channel {
    const { closedBecause } = this;
    if (closedBecause !== undefined) {
      throw new Error(closedBecause);
    }
    this.wasOpened = true;
    return this.channel.open();
  }

  async waitForReady(deadline: number, owner: string): Promise<void> {
    this.open();
    await this.channel.waitForReady(deadline, owner);
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
    return this.calls.close(because, cancelCalls);
  }

  release(): void {}

  private get channel(): RegisteredChannel {
    return (this.found ??= this.find());
  }
}
