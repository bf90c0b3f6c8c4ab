import type { AsyncResource } from 'node:async_hooks';
import type { CallCredentials, ChannelInterface, status } from '@grpc/grpc-js';
import type { CancelledBy } from '../diagnostics/messages.js';

/** What a call needs to know of the channel that it goes out on. */
export interface CallTarget extends ChannelInterface {
  /** The client's name, for messages. */
  readonly client: string;
  /** Why no more calls can start; `undefined` while they can. */
  readonly closedBecause: string | undefined;
  /** Whether call credentials stay secret: the channel is secure, or the user said that it need not be. */
  readonly maySendCallCredentials: boolean;
  /** Whether {@link credentialsFor} has some for a call without any of its own. */
  readonly hasCallCredentials: boolean;
  /** grpc-js's channel, opened when it is not. */
  open(): ChannelInterface;
  /** The call's own credentials, and the client's with them. */
  credentialsFor(call: CredentialedCall, own: CallCredentials | undefined): CallCredentials | undefined;
  /**
   * The details of an UNAVAILABLE, with what to do about it where that is known.
   *
   * @param peer what grpc-js's call says of it: the channel's target where there was no connection. What a peer says
   * stays as it is, although it may be of such a failure too: its own, at the next hop.
   */
  explainUnavailable(details: string, peer: string): string;
  callStarted(call: RunningCall): void;
  callEnded(call: RunningCall): void;
}

/** A call that credentials are made for. */
export interface CredentialedCall {
  /** Epoch milliseconds; `Infinity` when there is none. */
  readonly deadline: number;
  /** Aborts when the call fails. */
  readonly signal: AbortSignal;
  /** Runs `fn` in the async context of whoever made the call. */
  runInAsyncScope: AsyncResource['runInAsyncScope'];
  /**
   * Keeps what a provider threw: a status has no room for it.
   *
   * @param message what the status will say of it.
   */
  credentialsFailed(thrown: unknown, message: string): void;
}

/** A call that has started and not ended: a link in the list of those. */
export interface RunningCall {
  previousRunning: RunningCall | undefined;
  nextRunning: RunningCall | undefined;
  /** Whose part of a shared channel it runs on. */
  part: object | undefined;
  end(ending: Ending): void;
}

/** Why a call ends, or never starts, on our side. */
export interface Ending {
  readonly code: status;
  readonly details: string;
  /** Who cuts the call short; `undefined` for a call that is refused for what it brings. */
  readonly by?: CancelledBy;
  readonly cause?: unknown;
}
