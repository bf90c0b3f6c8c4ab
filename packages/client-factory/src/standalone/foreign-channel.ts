import type { CallCredentials, ChannelInterface } from '@grpc/grpc-js';
import type { PropagatingTarget } from '../call/decorated-channel.js';
import type { CredentialedCall } from '../propagation/call-target.js';
import { ForwardingChannel } from '../propagation/forwarding-channel.js';
import type { ParentFinder } from '../propagation/parent-call.js';

/** A channel that its user made, and goes on to own. */
export class ForeignChannel extends ForwardingChannel<ChannelInterface> implements PropagatingTarget {
  readonly closedBecause = undefined;
  /** Whether they may is grpc-js's to say: nothing is known of the channel's credentials. */
  readonly maySendCallCredentials = true;
  readonly hasCallCredentials = false;

  constructor(
    readonly client: string,
    channel: ChannelInterface,
    readonly parents: ParentFinder,
  ) {
    super(channel);
  }

  open(): ChannelInterface {
    return this.channel;
  }

  credentialsFor(_call: CredentialedCall, own: CallCredentials | undefined): CallCredentials | undefined {
    return own;
  }

  explainUnavailable(details: string): string {
    return details;
  }

  callStarted(): void {}

  callEnded(): void {}

  createCall(...call: Parameters<ChannelInterface['createCall']>): ReturnType<ChannelInterface['createCall']> {
    return this.channel.createCall(...call);
  }
}
