import type { ChannelInterface, experimental } from '@grpc/grpc-js';
import { epochMs } from '@grpc-di/call-context/opener';
import type { CallTarget } from '../propagation/call-target.js';
import { ForwardingChannel } from '../propagation/forwarding-channel.js';
import { Invocation } from '../propagation/invocation.js';
import type { ParentFinder } from '../propagation/parent-call.js';
import { type CallDefaults, defaultsFor } from './call-defaults.js';
import { ChannelCall } from './channel-call.js';
import type { Rpc } from './rpcs.js';

type CallStream = experimental.CallStream;

/** Where calls go, and where their parents come from; `undefined` where they have none. */
export interface PropagatingTarget extends CallTarget {
  readonly parents: ParentFinder | undefined;
}

/**
 * A channel that brings all of a client's options to every call, for clients that are none of ours: whatever takes a
 * channel of grpc-js.
 */
export class DecoratedChannel extends ForwardingChannel<PropagatingTarget> {
  constructor(
    channel: PropagatingTarget,
    private readonly defaults: CallDefaults,
    /** The client's, as far as they are known. */
    private readonly rpcs: readonly Rpc[] = [],
  ) {
    super(channel);
  }

  get client(): string {
    return this.channel.client;
  }

  get parents(): ParentFinder | undefined {
    return this.channel.parents;
  }

  createCall(...[method, deadline, host, parentCall, flags]: Parameters<ChannelInterface['createCall']>): CallStream {
    const { timeoutMs, waitForReady } = defaultsFor(method, this.defaults);
    const askedDeadline = epochMs(deadline, 'deadline');
    const isDefault = askedDeadline === Infinity && timeoutMs !== undefined;
    const ownDeadline = isDefault ? Date.now() + timeoutMs : askedDeadline;
    const { parents } = this;
    const parent = parents?.find(method);
    const invocation = new Invocation(
      this.channel,
      parent,
      parents?.policy,
      undefined,
      ownDeadline,
      isDefault,
      'listeners',
    );
    const { metadata, interceptors } = this.defaults;
    const asked = { method, host, parentCall, flags };
    return new ChannelCall(invocation, { metadata, interceptors, waitForReady }, asked, this.rpcs);
  }
}
