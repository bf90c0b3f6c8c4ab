import { Channel, type ChannelCredentials, type ChannelOptions, connectivityState, status } from '@grpc/grpc-js';
import { runInScope } from '@grpc-di/call-context/opener';
import type { RunningCall } from '../propagation/call-target.js';

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
export class ManagedChannel {
  private readonly running = new Set<RunningCall>();
  private channel: Channel | undefined;
  private settings: ChannelSettings | undefined;
  private closing: { readonly because: string; readonly drained: PromiseWithResolversOf<void> } | undefined;
  private wasOpened = false;

  constructor(
    /** Runs at the first use; where it throws it runs again at the next. */
    private readonly resolveSettings: () => ChannelSettings,
    /** Why its owner has let go of it, `undefined` while it has not. */
    private readonly releasedBecause: () => string | undefined = () => undefined,
  ) {}

  /** Why it is closed, or closing; `undefined` while it is neither. */
  get closedBecause(): string | undefined {
    return this.closing?.because ?? this.releasedBecause();
  }

  /** Whether it was opened or closed: what it is made of can no longer change. */
  get isInUse(): boolean {
    return this.wasOpened || this.closing !== undefined;
  }

  /** @throws what `resolveSettings` throws; nothing is kept of it. */
  prepare(): ChannelSettings {
    return (this.settings ??= this.resolveSettings());
  }

  /** @throws Error that says why it is closed; what `resolveSettings` throws. */
  open(): Channel {
    const { closedBecause } = this;
    if (closedBecause !== undefined) {
      throw new Error(closedBecause);
    }
    this.channel ??= runInScope(undefined, openChannel, this.prepare());
    this.wasOpened = true;
    return this.channel;
  }

  /**
   * Connects, and resolves when the channel is ready.
   *
   * @param deadline epoch milliseconds.
   * @throws Error that names the client, when the channel is not ready by then, or closed.
   */
  async waitForReady(deadline: number, client: string): Promise<void> {
    for (;;) {
      const channel = this.open();
      const state = runInScope(undefined, connect, channel);
      if (state === connectivityState.READY) {
        return;
      }
      const until = Math.min(deadline, Date.now() + LONGEST_WATCH_MS);
      const hasChanged = await runInScope(undefined, stateChanges, channel, state, until);
      if (!hasChanged && Date.now() >= deadline) {
        throw new Error(
          `gRPC client '${client}' could not connect to ${channel.getTarget()} in time: it is ${connectivityState[state]}`,
        );
      }
    }
  }

  callStarted(call: RunningCall): void {
    this.running.add(call);
  }

  callEnded(call: RunningCall): void {
    this.running.delete(call);
    if (this.running.size === 0 && this.closedBecause !== undefined) {
      this.disconnect();
    }
  }

  /**
   * No more calls start, for good. The promise resolves when the running ones have ended, which they do on their own,
   * or at once with `cancelCalls`.
   */
  close(because: string, cancelCalls = false): Promise<void> {
    this.closing ??= { because, drained: promiseWithResolvers() };
    if (cancelCalls) {
      for (const call of this.running) {
        call.end({ code: status.CANCELLED, details: `Cancelled: ${because}` });
      }
    }
    this.release();
    return this.closing.drained.promise;
  }

  /** Drops the connections, as soon as no call is running: nobody can start another, unless the owner takes it back. */
  release(): void {
    if (this.running.size === 0) {
      this.disconnect();
    }
  }

  private disconnect(): void {
    this.channel?.close();
    this.channel = undefined;
    this.closing?.drained.resolve();
  }
}

function openChannel({ target, credentials, options }: ChannelSettings): Channel {
  return new Channel(target, credentials, options);
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

interface PromiseWithResolversOf<T> {
  promise: Promise<T>;
  resolve(value: T): void;
}

/** `Promise.withResolvers()`, which Node 20 does not have. */
function promiseWithResolvers(): PromiseWithResolversOf<void> {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
