import type { Channel } from '@grpc/grpc-js';
import type { RunningCall } from '../propagation/call-target.js';
import type { ChannelSettings } from './managed-channel.js';

/** A registration's channel, whether it owns it or shares it. */
export interface RegisteredChannel {
  /** Why it is closed, or closing; `undefined` while it is neither. */
  readonly closedBecause: string | undefined;
  /** Whether a client was made on it, or it was opened or closed: what it is made of can no longer change. */
  readonly isInUse: boolean;
  /** @throws Error for an address, credentials and the like that cannot be used; nothing is kept of it. */
  prepare(): ChannelSettings;
  /** A client is made on it. */
  use(): void;
  /** @throws Error that says why it is closed; what {@link prepare} throws. */
  open(): Channel;
  /**
   * Connects, and resolves when the channel is ready.
   *
   * @param deadline epoch milliseconds.
   * @param owner for messages, such as `gRPC client 'users.v1.Users'`.
   * @throws Error that names the owner, when the channel is not ready by then, or closed.
   */
  waitForReady(deadline: number, owner: string): Promise<void>;
  callStarted(call: RunningCall): void;
  callEnded(call: RunningCall): void;
  /**
   * No more calls start, for good. The promise resolves when the running ones have ended, which they do on their own,
   * or at once with `cancelCalls`.
   */
  close(because: string, cancelCalls?: boolean): Promise<void>;
  /** The owner has let go of it: it closes as soon as no call is running, unless the owner takes it back. */
  release(): void;
}
