import { AsyncResource } from 'node:async_hooks';
import {
  type CallCredentials,
  type ChannelInterface,
  type experimental,
  type InterceptingListener,
  Metadata,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import {
  type AbortSubscriber,
  type CallContextScope,
  type CancellationSubscriber,
  DeadlineTimer,
  runInScope,
  subscribeToSignal,
  unsubscribeFromSignal,
} from '@grpc-di/call-context/opener';
import { areCallsObserved, CallObserver } from '../diagnostics/call-observer.js';
import type { CredentialedCall, Ending, RunningCall } from './call-target.js';
import {
  callFailure,
  closedEnding,
  insecureCredentialsEnding,
  ownDeadlineEnding,
  parentDeadlineEnding,
  parentEnding,
  signalEnding,
} from './endings.js';
import type { Invocation } from './invocation.js';

type CallStream = experimental.CallStream;
type MessageContext = Parameters<CallStream['sendMessageWithContext']>[0];
type ParentServerCall = Parameters<ChannelInterface['createCall']>[3];

/**
 * The longest time to a deadline that grpc-js gets to see, in ms. Above it grpc-js has no timer, and its server reads
 * the header `2147484S` as a time in the past; above 1e8 hours the client takes the process down.
 */
const LONGEST_TIMEOUT_MS = 2_147_483_000;

/** How early a timer may say that the deadline has passed, in ms: `Date.now()` and Node's timers round apart. */
const CLOCK_TOLERANCE_MS = 5;

/** What grpc-js's status says last when call credentials fail. */
const CREDENTIALS_FAILED = 'Getting metadata from plugin failed with error: ';

const NO_DESTROY_HOOK = { requireManualDestroy: true };

/**
 * The last link before grpc-js's own call, below every interceptor. Every call of a client passes here, also without
 * propagation. It
 * - bounds the call by its parent's deadline and cancellation, and its caller's signal, and lets go of both at the end;
 * - does not start a call that has no chance: nothing reaches the server;
 * - runs all that comes back in the async context of whoever made the call. grpc-js alone runs it in the context that
 *   the connection was opened in, which may be another request's (nodejs/node #55376, #63814);
 * - starts the call outside any call context, so that connections and their timers retain none;
 * - makes cancelling final: grpc-js sends a call that was cancelled in the tick in which it was started, and never ends it.
 */
export class BoundCall
  extends AsyncResource
  implements CallStream, InterceptingListener, RunningCall, CredentialedCall, CancellationSubscriber, AbortSubscriber
{
  /** Epoch milliseconds: the smaller of what was asked for and the parent's. */
  readonly deadline: number;
  previousSubscriber: CancellationSubscriber | undefined;
  nextSubscriber: CancellationSubscriber | undefined;
  previousRunning: RunningCall | undefined;
  nextRunning: RunningCall | undefined;
  part: object | undefined;
  private readonly deadlineIsParents: boolean;
  private call: CallStream | undefined;
  private credentials: CallCredentials | undefined;
  private listener: InterceptingListener | undefined;
  private ending: Ending | undefined;
  private timer: DeadlineTimer | undefined;
  /** For credentials that want to know when nobody needs them any more. */
  private failure: AbortController | undefined;
  /** Of all attempts, and of several credentials for one: the status tells which one counted. */
  private credentialsErrors: Array<{ readonly thrown: unknown; readonly message: string }> | undefined;
  /** With an error. */
  private endedWith: StatusObject | undefined;
  /** For a call that started while somebody listened to diagnostics. */
  private observer: CallObserver | undefined;
  private isReadPending = false;
  private finished = false;

  constructor(
    private readonly invocation: Invocation,
    private readonly method: string,
    askedDeadline: number,
    private readonly host: string | null | undefined,
    private readonly parentCall: ParentServerCall,
    private readonly propagateFlags: number | null | undefined,
  ) {
    super('GrpcDiClientCall', NO_DESTROY_HOOK);
    const parentDeadline = invocation.parent === undefined ? Infinity : invocation.parent.deadline;
    this.deadlineIsParents = parentDeadline < askedDeadline;
    this.deadline = this.deadlineIsParents ? parentDeadline : askedDeadline;
  }

  start(metadata: Metadata, listener: InterceptingListener): void {
    this.listener = listener;
    this.ending ??= this.invocation.ending ?? this.refusal();
    if (this.ending !== undefined) {
      this.refuse(this.ending);
      return;
    }
    runInScope(undefined, startDetached, this, metadata);
    this.invocation.channel.callStarted(this);
    this.tellStart();
    this.invocation.parent?.scope.subscribe(this);
    if (this.invocation.signal !== undefined) {
      subscribeToSignal(this.invocation.signal, this);
    }
  }

  /** @internal outside any call context. */
  startNow(metadata: Metadata): void {
    const remaining = this.deadline - Date.now();
    const isFar = remaining > LONGEST_TIMEOUT_MS;
    if (isFar && this.deadline !== Infinity) {
      this.timer = new DeadlineTimer(this.deadline, () => this.end(this.deadlineEnding()));
    }
    const channel = this.invocation.channel.open();
    const deadline = isFar ? Infinity : this.deadline;
    this.call = channel.createCall(this.method, deadline, this.host, this.parentCall, this.propagateFlags);
    const credentials = this.invocation.channel.credentialsFor(this, this.credentials);
    if (credentials !== undefined) {
      this.call.setCredentials(credentials);
    }
    this.call.start(metadata, this);
    if (this.isReadPending) {
      this.call.startRead();
    }
  }

  cancelWithStatus(code: status, details: string): void {
    const { ending } = this.invocation;
    this.end({ code, details, by: 'caller', cause: code === ending?.code ? ending.cause : undefined });
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    const { callback, flags } = context;
    if (this.call === undefined) {
      if (callback !== undefined) {
        process.nextTick(callback);
      }
    } else if (callback === undefined) {
      this.call.sendMessageWithContext(context, message);
    } else {
      const written = (error?: Error | null): void => this.runInAsyncScope(callback, undefined, error);
      this.call.sendMessageWithContext({ flags, callback: written }, message);
    }
  }

  /** The one thing that comes before the start, where an interceptor goes on with it later. */
  startRead(): void {
    if (this.call === undefined) {
      this.isReadPending = true;
    } else {
      this.call.startRead();
    }
  }

  halfClose(): void {
    this.call?.halfClose();
  }

  setCredentials(credentials: CallCredentials): void {
    this.credentials = credentials;
  }

  get signal(): AbortSignal {
    if (this.failure === undefined) {
      this.failure = new AbortController();
      if (this.endedWith !== undefined) {
        this.failure.abort(callFailure(this.endedWith));
      }
    }
    return this.failure.signal;
  }

  credentialsFailed(thrown: unknown, message: string): void {
    (this.credentialsErrors ??= []).push({ thrown, message });
  }

  getPeer(): string {
    return this.call?.getPeer() ?? this.invocation.channel.getTarget();
  }

  getCallNumber(): number {
    return this.call?.getCallNumber() ?? 0;
  }

  getAuthContext(): ReturnType<CallStream['getAuthContext']> {
    return this.call?.getAuthContext() ?? null;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.runInAsyncScope(deliverMetadata, undefined, this.listener!, metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.runInAsyncScope(deliverMessage, undefined, this.listener!, message);
  }

  /** Comes exactly once, whatever ended the call. */
  onReceiveStatus(received: StatusObject): void {
    this.finished = true;
    this.invocation.channel.callEnded(this);
    this.invocation.parent?.scope.unsubscribe(this);
    if (this.invocation.signal !== undefined) {
      unsubscribeFromSignal(this.invocation.signal, this);
    }
    this.timer?.clear();
    const explained = this.explain(received);
    this.tellEnd(explained, false);
    if (received.code !== status.OK) {
      this.endedWith = explained;
      this.failure?.abort(callFailure(explained));
    }
    this.runInAsyncScope(deliverStatus, undefined, this.listener!, explained);
  }

  onScopeCancelled(_scope: CallContextScope): void {
    const { parent } = this.invocation;
    if (parent?.endsChildren) {
      this.end(parentEnding(parent));
    }
  }

  onSignalAborted(reason: unknown): void {
    this.end(signalEnding(reason));
  }

  /** Ends the call from this side; one that has not started yet will not. */
  end(ending: Ending): void {
    if (this.finished || this.ending !== undefined) {
      return;
    }
    this.ending = ending;
    if (this.observer !== undefined) {
      this.runInAsyncScope(publishCancel, undefined, this.observer, ending);
    }
    if (this.call !== undefined) {
      this.call.cancelWithStatus(ending.code, ending.details);
      // A call that was started in this tick is on its way to the server all the same (seen in grpc-js 1.14.0 to
      // 1.14.7): the second cancel reaches it there. On any other call it does nothing.
      runInScope(undefined, cancelInNextTurn, this.call, ending);
    }
  }

  private tellStart(): void {
    if (areCallsObserved()) {
      const { channel, parent } = this.invocation;
      this.observer = this.runInAsyncScope(newObserver, undefined, {
        client: channel.client,
        method: this.method,
        target: channel.getTarget(),
        deadline: this.deadline,
        deadlineSource: this.deadlineIsParents ? 'parent' : this.invocation.deadlineSource(this.deadline),
        parent: parent?.scope.label,
      });
    }
  }

  /** @internal */
  tellEnd(received: StatusObject, refused: boolean): void {
    if (this.observer !== undefined) {
      const ending = received.code === this.ending?.code ? this.ending : undefined;
      this.runInAsyncScope(publishEnd, undefined, this.observer, received, ending, refused);
    }
  }

  private refusal(): Ending | undefined {
    const { channel, signal, parent } = this.invocation;
    if (channel.closedBecause !== undefined) {
      return closedEnding(channel.closedBecause);
    }
    if (this.credentials !== undefined && !channel.maySendCallCredentials) {
      return insecureCredentialsEnding(channel);
    }
    if (signal?.aborted) {
      return signalEnding(signal.reason);
    }
    if (parent?.endsChildren) {
      return parentEnding(parent);
    }
    return this.deadline <= Date.now() ? this.deadlineEnding() : undefined;
  }

  private refuse({ code, details, cause }: Ending): void {
    this.finished = true;
    this.tellStart();
    const refused: StatusObject & { cause?: unknown } = { code, details, metadata: new Metadata() };
    if (cause !== undefined) {
      refused.cause = cause;
    }
    process.nextTick(deliverRefusal, this, this.listener!, refused);
  }

  /** grpc-js copies a status's properties to the error that it makes of it, in every form of call: `cause` too. */
  private explain(received: StatusObject): StatusObject & { cause?: unknown } {
    if (received.code === this.ending?.code) {
      return this.ending.cause === undefined ? received : { ...received, cause: this.ending.cause };
    }
    if (received.code === status.DEADLINE_EXCEEDED && Date.now() >= this.deadline - CLOCK_TOLERANCE_MS) {
      this.ending = this.deadlineEnding();
      const { cause } = this.ending;
      const details = `${received.details} (${this.deadlineInWords()})`;
      return cause === undefined ? { ...received, details } : { ...received, details, cause };
    }
    const failed = this.credentialsErrors?.find(({ message }) =>
      received.details.endsWith(CREDENTIALS_FAILED + message),
    );
    if (failed !== undefined) {
      return { ...received, cause: failed.thrown };
    }
    if (received.code === status.UNAVAILABLE) {
      const details = this.invocation.channel.explainUnavailable(received.details, this.getPeer());
      return details === received.details ? received : { ...received, details };
    }
    return received;
  }

  private deadlineEnding(): Ending {
    return this.deadlineIsParents
      ? parentDeadlineEnding(this.invocation.parent!)
      : ownDeadlineEnding(this.invocation.deadlineInWords(this.deadline));
  }

  private deadlineInWords(): string {
    return this.deadlineIsParents
      ? this.invocation.parent!.deadlineInWords
      : this.invocation.deadlineInWords(this.deadline);
  }
}

function newObserver(facts: ConstructorParameters<typeof CallObserver>[0]): CallObserver {
  return new CallObserver(facts);
}

function publishCancel(observer: CallObserver, ending: Ending): void {
  observer.cancelled(ending);
}

function publishEnd(
  observer: CallObserver,
  received: StatusObject,
  ending: Ending | undefined,
  refused: boolean,
): void {
  observer.ended(received, ending, refused);
}

function startDetached(call: BoundCall, metadata: Metadata): void {
  call.startNow(metadata);
}

function cancelInNextTurn(call: CallStream, ending: Ending): void {
  setImmediate(cancelAgain, call, ending);
}

function cancelAgain(call: CallStream, ending: Ending): void {
  call.cancelWithStatus(ending.code, ending.details);
}

function deliverMetadata(listener: InterceptingListener, metadata: Metadata): void {
  listener.onReceiveMetadata(metadata);
}

function deliverMessage(listener: InterceptingListener, message: unknown): void {
  listener.onReceiveMessage(message);
}

function deliverRefusal(call: BoundCall, listener: InterceptingListener, refused: StatusObject): void {
  call.tellEnd(refused, true);
  call.runInAsyncScope(deliverStatus, undefined, listener, refused);
}

function deliverStatus(listener: InterceptingListener, refused: StatusObject): void {
  listener.onReceiveStatus(refused);
}
