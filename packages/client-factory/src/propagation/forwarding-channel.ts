import type { ChannelInterface } from '@grpc/grpc-js';

/** What stands for a channel, and starts calls in its own way. */
export abstract class ForwardingChannel<Channel extends ChannelInterface> implements ChannelInterface {
  constructor(readonly channel: Channel) {}

  abstract createCall(...call: Parameters<ChannelInterface['createCall']>): ReturnType<ChannelInterface['createCall']>;

  close(): void {
    this.channel.close();
  }

  getTarget(): string {
    return this.channel.getTarget();
  }

  getConnectivityState(tryToConnect: boolean): ReturnType<ChannelInterface['getConnectivityState']> {
    return this.channel.getConnectivityState(tryToConnect);
  }

  watchConnectivityState(...args: Parameters<ChannelInterface['watchConnectivityState']>): void {
    this.channel.watchConnectivityState(...args);
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.channel.getChannelzRef();
  }
}
