import type { ChannelInterface } from '@grpc/grpc-js';
import { type CallContextScope, epochMs } from '@grpc-di/call-context/opener';
import type { DeadlineSource } from '../diagnostics/messages.js';
import { BoundCall } from './bound-call.js';
import type { CallTarget, Ending } from './call-target.js';
import { ForwardingChannel } from './forwarding-channel.js';
import type { PropagationPolicy } from './propagation-options.js';

/**
 * Who hears of what comes back. A promise's owner does so in an async context of their own, all others in that of the
 * caller. To listeners it comes at once, interceptors among them; to a promise and a callback after grpc-js has made an
 * error of it.
 */
export type Audience = 'promise' | 'callback' | 'listeners';

/**
 * One call as its caller asked for it.
 *
 * grpc-js takes it for the call's channel: a channel is what it carries past every interceptor, asynchronous ones and
 * ones that start a second attempt included. So nothing that the caller asked for, nor the parent, can get lost on
 * the way, and the deadline that arrives in `createCall` is the one that the interceptors left.
 */
export class Invocation extends ForwardingChannel<CallTarget> {
  /** What stands for the call instead of grpc-js's own object, until grpc-js takes it. */
  surface: object | undefined;
  /** Set when the caller cancels: no attempt starts any more. */
  ending: Ending | undefined;

  private firstAttempt: BoundCall | undefined;
  /** Of interceptors that make more than one. */
  private furtherAttempts: BoundCall[] | undefined;

  constructor(
    channel: CallTarget,
    /** The call that it is made in, where its client propagates. */
    readonly parent: CallContextScope | undefined,
    readonly policy: PropagationPolicy | undefined,
    readonly signal: AbortSignal | undefined,
    /** Epoch milliseconds; `Infinity` when neither call nor client sets one. */
    readonly deadline: number,
    private readonly deadlineIsDefault: boolean,
    public audience: Audience,
  ) {
    super(channel);
  }

  createCall(...[method, deadline, host, parentCall, flags]: Parameters<ChannelInterface['createCall']>): BoundCall {
    const attempt = new BoundCall(this, method, epochMs(deadline, 'deadline'), host, parentCall, flags);
    if (this.firstAttempt === undefined) {
      this.firstAttempt = attempt;
    } else {
      (this.furtherAttempts ??= []).push(attempt);
    }
    return attempt;
  }

  /** The caller's cancel, past interceptors that cancel no more than their first attempt. */
  cancel(ending: Ending): void {
    this.ending ??= ending;
    this.firstAttempt?.end(this.ending);
    for (const attempt of this.furtherAttempts ?? []) {
      attempt.end(this.ending);
    }
  }

  /** Whose deadline it is, for messages. */
  deadlineInWords(deadline: number): string {
    switch (this.deadlineSource(deadline)) {
      case 'interceptor':
        return 'the deadline that an interceptor set';
      case 'default':
        return `the default timeoutMs of gRPC client '${this.channel.client}'`;
      case 'own':
      case 'none':
        return "the call's own deadline";
    }
  }

  /** Whose deadline it is, where it is not the parent's. */
  deadlineSource(deadline: number): Exclude<DeadlineSource, 'parent'> {
    if (deadline === Infinity) {
      return 'none';
    }
    if (deadline !== this.deadline) {
      return 'interceptor';
    }
    return this.deadlineIsDefault ? 'default' : 'own';
  }
}
