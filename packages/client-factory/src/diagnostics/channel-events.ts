import type { Channel, ChannelCredentials } from '@grpc/grpc-js';
import { channelClose, channelOpen } from './channels.js';
import type { ChannelCloseMessage, ChannelOpenMessage } from './messages.js';

export function tellChannelOpened(channel: Channel, settings: ObservedSettings): void {
  if (channelOpen.hasSubscribers) {
    channelOpen.publish(messageOf(channel, settings));
  }
}

export function tellChannelClosed(channel: Channel, settings: ObservedSettings, because: string | undefined): void {
  if (channelClose.hasSubscribers) {
    channelClose.publish({ because, ...messageOf(channel, settings) } satisfies ChannelCloseMessage);
  }
}

interface ObservedSettings {
  readonly target: string;
  readonly credentials: ChannelCredentials;
}

function messageOf(channel: Channel, { target, credentials }: ObservedSettings): ChannelOpenMessage {
  return { channelId: channel.getChannelzRef().id, target, secure: credentials._isSecure() };
}
