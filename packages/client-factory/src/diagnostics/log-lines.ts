import { status } from '@grpc/grpc-js';
import {
  type CallCancelMessage,
  type CallEndMessage,
  type CallStartMessage,
  type ChannelCloseMessage,
  type ChannelOpenMessage,
  type ContextNotFoundMessage,
  type DeadlineSource,
  diagnosticsChannels,
} from './messages.js';

export type LogLevel = 'debug' | 'info' | 'warn';

/** How a message of one channel is logged. */
export interface LogLine<Message> {
  readonly highestLevel: LogLevel;
  levelOf(message: Message): LogLevel;
  textOf(message: Message): string;
}

const callStart: LogLine<CallStartMessage> = {
  highestLevel: 'debug',
  levelOf: () => 'debug',
  textOf: (call) => `${callOf(call)} to ${call.target} starts, ${deadlineOf(call)}${placeOf(call)}`,
};

const callCancel: LogLine<CallCancelMessage> = {
  highestLevel: 'debug',
  levelOf: () => 'debug',
  textOf: (call) =>
    `${callOf(call)} is cancelled by ${call.by}: ${statusOf(call)}` +
    `${call.reason === undefined ? '' : `, reason ${JSON.stringify(call.reason)}`}`,
};

const callEnd: LogLine<CallEndMessage> = {
  highestLevel: 'info',
  // Cancelling is no failure: grpc-dotnet #2466.
  levelOf: ({ code }) =>
    code === status.OK || code === status.CANCELLED || code === status.DEADLINE_EXCEEDED ? 'debug' : 'info',
  textOf: (call) =>
    `${callOf(call)} to ${call.target} ${call.refused ? 'is refused' : 'ended'} with ${statusOf(call)} ` +
    `after ${call.durationMs.toFixed(1)} ms${call.cancelledBy === undefined ? '' : ` (by ${call.cancelledBy})`}`,
};

const channelOpen: LogLine<ChannelOpenMessage> = {
  highestLevel: 'debug',
  levelOf: () => 'debug',
  textOf: (channel) => `${channelOf(channel)} is opened, ${channel.secure ? 'secure' : 'insecure'}`,
};

const channelClose: LogLine<ChannelCloseMessage> = {
  highestLevel: 'debug',
  levelOf: () => 'debug',
  textOf: (channel) =>
    `${channelOf(channel)} is closed: ${channel.because ?? 'of more channels than are kept it was the least used'}`,
};

const contextNotFound: LogLine<ContextNotFoundMessage> = {
  highestLevel: 'warn',
  levelOf: ({ onContextNotFound }) => (onContextNotFound === 'ignore' ? 'debug' : 'warn'),
  textOf: ({ details }) => details,
};

export const logLines = {
  [diagnosticsChannels.callStart]: callStart,
  [diagnosticsChannels.callCancel]: callCancel,
  [diagnosticsChannels.callEnd]: callEnd,
  [diagnosticsChannels.channelOpen]: channelOpen,
  [diagnosticsChannels.channelClose]: channelClose,
  [diagnosticsChannels.contextNotFound]: contextNotFound,
} as const;

function callOf({ callId, client, method }: CallStartMessage): string {
  return `gRPC call ${callId} of ${method} (client '${client}')`;
}

function deadlineOf({ deadline, deadlineSource }: CallStartMessage): string {
  return deadlineSource === 'none'
    ? 'without a deadline'
    : `${Math.round(deadline - Date.now())} ms before ${SOURCE_IN_WORDS[deadlineSource]}`;
}

const SOURCE_IN_WORDS: Record<Exclude<DeadlineSource, 'none'>, string> = {
  own: 'its own deadline',
  default: "the client's timeoutMs",
  parent: "the parent's deadline",
  interceptor: "an interceptor's deadline",
};

function placeOf({ parent }: CallStartMessage): string {
  return parent === undefined ? '' : ` in ${parent.charAt(0).toLowerCase()}${parent.slice(1)}`;
}

/** The details in quotes, with line breaks escaped: a peer may have written them, and a log is read by lines. */
function statusOf({ code, details }: { readonly code: number; readonly details: string }): string {
  const name = status[code] ?? `status ${code}`;
  return details === '' || details === name ? name : `${name} ${JSON.stringify(details)}`;
}

function channelOf({ channelId, target }: ChannelOpenMessage): string {
  return `gRPC channel ${channelId} to ${target}`;
}
