/**
 * The channels of `node:diagnostics_channel` that clients publish on. A message is plain data, made when somebody has
 * subscribed; it keeps no call alive, and holds neither metadata nor messages nor credentials.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe(diagnosticsChannels.callEnd, (message) => {
 *   const { method, code, durationMs } = message as CallEndMessage;
 *   histogram.record(durationMs, { method, code });
 * });
 */
export const diagnosticsChannels = {
  /** {@link CallStartMessage} */
  callStart: 'grpc-di:call:start',
  /** {@link CallCancelMessage} */
  callCancel: 'grpc-di:call:cancel',
  /** {@link CallEndMessage} */
  callEnd: 'grpc-di:call:end',
  /** {@link ChannelOpenMessage} */
  channelOpen: 'grpc-di:channel:open',
  /** {@link ChannelCloseMessage} */
  channelClose: 'grpc-di:channel:close',
  /** {@link ContextNotFoundMessage} */
  contextNotFound: 'grpc-di:context:not-found',
} as const;

/**
 * Where a call's deadline comes from: the call's own `deadline` or `timeoutMs`, its client's `timeoutMs`, the parent's
 * (with its margin taken off), an interceptor; or there is none.
 */
export type DeadlineSource = 'own' | 'default' | 'parent' | 'interceptor' | 'none';

/**
 * Who cut a call short on this side.
 *
 * - `parent`: the call that it was made in was cancelled.
 * - `signal`: its `signal` aborted.
 * - `caller`: its `cancel()`; a loop that was left early, a stream that was destroyed, `using`; requests that threw; an
 *   interceptor; with another code than CANCELLED, grpc-js for a message that cannot be read or written.
 * - `deadline`: its deadline passed, or its parent's.
 * - `close`: its client or channel was closed.
 */
export type CancelledBy = 'parent' | 'signal' | 'caller' | 'deadline' | 'close';

/** What all messages of a call tell. */
interface CallMessage {
  /** The same in all messages of one call; counts up. */
  readonly callId: number;
  /** The client's name. */
  readonly client: string;
  /** The method's path, such as `/users.v1.Users/GetUser`. */
  readonly method: string;
  /** The channel's target, such as `dns:users:50051`. */
  readonly target: string;
  /** Epoch milliseconds; `Infinity` when there is none. */
  readonly deadline: number;
  readonly deadlineSource: DeadlineSource;
  /** The call that it was made in, in words; `undefined` outside any, and for a client that does not propagate. */
  readonly parent: string | undefined;
}

/** A call starts, or is refused. Exactly one {@link CallEndMessage} follows. */
export interface CallStartMessage extends CallMessage {}

/** A call that had started is cut short on this side; at most once, and before its {@link CallEndMessage}. */
export interface CallCancelMessage extends CallMessage {
  readonly by: CancelledBy;
  /** The gRPC status code that it is cancelled with. */
  readonly code: number;
  /** The status's details. */
  readonly details: string;
  /** The reason that the parent, the signal or `cancel(reason)` gave, in words. */
  readonly reason: string | undefined;
}

/** A call ended, before its caller is told. */
export interface CallEndMessage extends CallMessage {
  /** The gRPC status code; 0 is OK. */
  readonly code: number;
  /** The status's details, which a server may have written. */
  readonly details: string;
  /** Milliseconds since the start, with fractions. */
  readonly durationMs: number;
  /** Who ended it on this side; `undefined` when the server, the connection or nobody did. */
  readonly cancelledBy: CancelledBy | undefined;
  /** It never started: nothing was sent. */
  readonly refused: boolean;
}

/** A channel was made, on its first use or the first after it was closed as the least used one. It is not connected yet. */
export interface ChannelOpenMessage {
  /** grpc-js's (channelz's) id of the channel, which its traces show too. */
  readonly channelId: number;
  readonly target: string;
  /** Whether its credentials are secure. */
  readonly secure: boolean;
}

/** A channel was closed; its calls have ended. */
export interface ChannelCloseMessage extends ChannelOpenMessage {
  /** Who closed it, in words; `undefined` for one that was the least used of too many. */
  readonly because: string | undefined;
}

/** A client that propagates found no call context to call in; every time, whatever `onContextNotFound` says. */
export interface ContextNotFoundMessage {
  readonly client: string;
  readonly method: string;
  /** There never was one, or its call had ended. */
  readonly reason: 'no-call' | 'call-ended';
  /** What the error says, or would say. */
  readonly details: string;
  /** What happens then. */
  readonly onContextNotFound: 'throw' | 'warn' | 'ignore';
}
