import { type CallCredentials, type ChannelCredentials, type ChannelInterface, connectivityState } from '@grpc/grpc-js';
import { bindCallContext, runDetached } from '@grpc-di/call-context';
import { epochMs } from '@grpc-di/call-context/opener';
import type { CallTarget, CredentialedCall, RunningCall } from '../propagation/call-target.js';
import { Invocation } from '../propagation/invocation.js';
import type { ParentFinder } from '../propagation/parent-call.js';
import { explainConnectionFailure } from './connection-failure.js';
import { type ClientCredentials, credentialsOf } from './provided-credentials.js';
import type { RegisteredChannel } from './registered-channel.js';

/**
 * A registration's channel as one client object sees it: closing the object closes this view alone. A closed one
 * stays closed, which grpc-js's own does not: asked to connect, or waited for, it reopens.
 */
export class ClientChannel implements CallTarget {
  private ownEnd: string | undefined;

  constructor(
    readonly client: string,
    private readonly channel: RegisteredChannel,
    /** Finds the parents of calls; `undefined` for a client that does not propagate. */
    readonly parents: ParentFinder | undefined,
    private readonly callCredentials: readonly ClientCredentials[] = [],
    private readonly sendsCredentialsInClearText = false,
  ) {}

  get closedBecause(): string | undefined {
    return this.ownEnd ?? this.channel.closedBecause;
  }

  get credentials(): ChannelCredentials {
    return this.channel.prepare().credentials;
  }

  get hasCallCredentials(): boolean {
    return this.callCredentials.length > 0;
  }

  get maySendCallCredentials(): boolean {
    return this.sendsCredentialsInClearText || this.credentials._isSecure();
  }

  open(): ChannelInterface {
    return this.channel.open();
  }

  credentialsFor(call: CredentialedCall, own: CallCredentials | undefined): CallCredentials | undefined {
    return credentialsOf(call, own, this.callCredentials);
  }

  explainUnavailable(details: string, peer: string): string {
    const target = this.getTarget();
    if (peer !== target && peer !== `dns:${target}`) {
      return details;
    }
    const { reason, advice } = explainConnectionFailure(details, this.credentials._isSecure());
    return advice === undefined ? details : `${reason} (gRPC client '${this.client}' at ${target}: ${advice})`;
  }

  callStarted(call: RunningCall): void {
    this.channel.callStarted(call);
  }

  callEnded(call: RunningCall): void {
    this.channel.callEnded(call);
  }

  close(): void {
    this.ownEnd ??= `this object of gRPC client '${this.client}' is closed: its close() was called`;
  }

  getTarget(): string {
    return this.channel.prepare().target;
  }

  getConnectivityState(tryToConnect: boolean): connectivityState {
    return this.closedBecause === undefined
      ? runDetached(() => this.open().getConnectivityState(tryToConnect))
      : connectivityState.SHUTDOWN;
  }

  watchConnectivityState(
    currentState: connectivityState,
    deadline: Date | number,
    callback: (error?: Error) => void,
  ): void {
    if (this.closedBecause !== undefined) {
      throw new Error(this.closedBecause);
    }
    const watcher = bindCallContext(callback);
    runDetached(() => this.open().watchConnectivityState(currentState, deadline, watcher));
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.open().getChannelzRef();
  }

  /** For whoever takes the channel from the client, to start calls of their own. */
  createCall(...call: Parameters<ChannelInterface['createCall']>): ReturnType<ChannelInterface['createCall']> {
    const [method, deadline] = call;
    const { parents } = this;
    const parent = parents?.find(method);
    const ownDeadline = epochMs(deadline, 'deadline');
    return new Invocation(this, parent, parents?.policy, undefined, ownDeadline, false, 'listeners').createCall(
      ...call,
    );
  }
}
