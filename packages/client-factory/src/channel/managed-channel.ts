import { Channel, type ChannelCredentials, type ChannelOptions, connectivityState } from '@grpc/grpc-js';
import { runInScope } from '@grpc-di/call-context/opener';
import { tellChannelClosed, tellChannelOpened } from '../diagnostics/channel-events.js';
import type { Ending, RunningCall } from '../propagation/call-target.js';
import { closeEnding } from '../propagation/endings.js';
import { CallCount } from './call-count.js';
import { explainConnectionFailure, failureOf } from './connection-failure.js';
import type { RegisteredChannel } from './registered-channel.js';
import { RunningCalls } from './running-calls.js';

/** What grpc-js's channel is made of. */
export interface ChannelSettings {
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/** Node's timers reach no further than 2^31 ms. */
const LONGEST_WATCH_MS = 2_147_483_000;

/**
 * The one channel of a registration: opened on first use, outside any call context. Running calls finish when it is
 * closed; grpc-js alone fails those that are still waiting for a connection.
 */
export class ManagedChannel implements RegisteredChannel {
  private readonly count = new CallCount();
  private readonly running = new RunningCalls();
  private channel: Channel | undefined;
  private settings: ChannelSettings | undefined;
  private wasUsed = false;

  constructor(
    /** Runs at the first use; where it throws it runs again at the next. */
    private readonly resolveSettings: () => ChannelSettings,
    /** Why its owner has let go of it, `undefined` while it has not. */
    private readonly releasedBecause: () => string | undefined = () => undefined,
  ) {}

  get closedBecause(): string | undefined {
    return this.count.closedBecause ?? this.releasedBecause();
  }

  get isInUse(): boolean {
    return this.wasUsed || this.count.closedBecause !== undefined;
  }

  get isIdle(): boolean {
    return this.count.isNone;
  }

  prepare(): ChannelSettings {
    return (this.settings ??= this.resolveSettings());
  }

  use(): void {
    this.wasUsed = true;
  }

  open(): Channel {
    const { closedBecause } = this;
    if (closedBecause !== undefined) {
      throw new Error(closedBecause);
    }
    this.channel ??= runInScope(undefined, openChannel, this.prepare());
    this.wasUsed = true;
    return this.channel;
  }

  async waitForReady(deadline: number, owner: string): Promise<void> {
    for (;;) {
      const channel = this.open();
      const state = runInScope(undefined, connect, channel);
      if (state === connectivityState.READY) {
        return;
      }
      const until = Math.min(deadline, Date.now() + LONGEST_WATCH_MS);
      const hasChanged = await runInScope(undefined, stateChanges, channel, state, until);
      if (!hasChanged && Date.now() >= deadline) {
        const why = state === connectivityState.TRANSIENT_FAILURE ? await this.whyFailing(channel) : '';
        throw new Error(
          `${owner} could not connect to ${channel.getTarget()} in time: it is ${connectivityState[state]}${why}`,
        );
      }
    }
  }

  callStarted(call: RunningCall): void {
    this.count.started();
    this.running.add(call);
  }

  callEnded(call: RunningCall): void {
    this.running.remove(call);
    this.count.ended();
    if (this.closedBecause !== undefined) {
      this.release();
    }
  }

  /** Ends the calls that run on one client's part of it. */
  endCalls(ending: Ending, part: object): void {
    this.running.end(ending, part);
  }

  close(because: string, cancelCalls = false): Promise<void> {
    const drained = this.count.close(because);
    if (cancelCalls) {
      this.running.end(closeEnding(because));
    }
    this.release();
    return drained;
  }

  release(): void {
    const { channel } = this;
    if (channel !== undefined && this.count.isNone) {
      this.channel = undefined;
      channel.close();
      tellChannelClosed(channel, this.prepare(), this.closedBecause);
    }
  }

  private async whyFailing(channel: Channel): Promise<string> {
    const details = await runInScope(undefined, failureOf, channel);
    if (details === undefined) {
      return '';
    }
    const { reason, advice } = explainConnectionFailure(details, this.prepare().credentials._isSecure());
    return `: ${reason}${advice === undefined ? '' : ` (${advice})`}`;
  }
}

function openChannel(settings: ChannelSettings): Channel {
  const { target, credentials, options } = settings;
  const channel = new Channel(target, credentials, options);
  tellChannelOpened(channel, settings);
  return channel;
}

function connect(channel: Channel): connectivityState {
  return channel.getConnectivityState(true);
}

/** Whether the channel leaves `state` before the deadline. */
function stateChanges(channel: Channel, state: connectivityState, deadline: number): Promise<boolean> {
  return new Promise((resolve) => {
    channel.watchConnectivityState(state, deadline, (error) => resolve(error === undefined));
  });
}
