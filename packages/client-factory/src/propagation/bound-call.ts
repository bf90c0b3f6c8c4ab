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
  withoutStackFrames,
} from '@grpc-di/call-context/opener';
import { areCallsObserved, CallObserver } from '../diagnostics/call-observer.js';
import { AttemptCredentials } from './attempt-credentials.js';
import type { Ending, RunningCall } from './call-target.js';
import {
  closedEnding,
  insecureCredentialsEnding,
  ownDeadlineEnding,
  parentDeadlineEnding,
  parentEnding,
  signalEnding,
} from './endings.js';
import type { Invocation } from './invocation.js';
import { deadlineForChildren, endsChildren, parentDeadlineInWords } from './parent-call.js';

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

const NO_DESTROY_HOOK = { requireManualDestroy: true };

/**
 * The last link before grpc-js's own call, below every interceptor. Every call of a client passes here, also without
 * propagation. It
 * - bounds the call by its parent's deadline and cancellation, and its caller's signal, and lets go of both at the end;
 * - does not start a call that has no chance: nothing reaches the server;
 * - runs all that comes back in the async context of whoever made the call, where more than a promise hears of it.
 *   grpc-js alone runs it in the context that the connection was opened in, which may be another request's (nodejs/node
 *   #55376, #63814);
 * - starts the call outside any call context, so that connections and their timers retain none;
 * - makes cancelling final: grpc-js sends a call that was cancelled in the tick in which it was started, and never ends it.
 */
export class BoundCall
  implements CallStream, InterceptingListener, RunningCall, CancellationSubscriber, AbortSubscriber
{
  /** Epoch milliseconds: the smaller of what was asked for and the parent's. */
  readonly deadline: number;
  previousSubscriber: CancellationSubscriber | undefined;
  nextSubscriber: CancellationSubscriber | undefined;
  previousRunning: RunningCall | undefined;
  nextRunning: RunningCall | undefined;
  part: object | undefined;
  private readonly deadlineIsParents: boolean;
  /** The async context of whoever made the call, where somebody hears of what comes back in it. */
  private origin: AsyncResource | undefined;
  private call: CallStream | undefined;
  private ownCredentials: CallCredentials | undefined;
  private credentials: AttemptCredentials | undefined;
  private listener: InterceptingListener | undefined;
  private ending: Ending | undefined;
  private timer: DeadlineTimer | undefined;
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
    const { channel, parent, policy } = invocation;
    if (invocation.audience !== 'promise' || channel.hasCallCredentials || areCallsObserved()) {
      this.origin = new AsyncResource('GrpcDiClientCall', NO_DESTROY_HOOK);
    }
    const parentDeadline = parent === undefined ? Infinity : deadlineForChildren(parent, policy!);
    this.deadlineIsParents = parentDeadline < askedDeadline;
    this.deadline = this.deadlineIsParents ? parentDeadline : askedDeadline;
  }

  start(metadata: Metadata, listener: InterceptingListener): void {
    this.listener = listener;
    const now = Date.now();
    this.ending ??= this.invocation.ending ?? this.refusal(now);
    if (this.ending !== undefined) {
      this.refuse(this.ending);
      return;
    }
    runInScope(undefined, startDetached, this, metadata, now);
    this.invocation.channel.callStarted(this);
    this.tellStart();
    this.invocation.parent?.subscribe(this);
    if (this.invocation.signal !== undefined) {
      subscribeToSignal(this.invocation.signal, this);
    }
  }

  /** @internal outside any call context. */
  startNow(metadata: Metadata, now: number): void {
    const isFar = this.deadline - now > LONGEST_TIMEOUT_MS;
    if (isFar && this.deadline !== Infinity) {
      this.timer = new DeadlineTimer(this.deadline, () => this.end(this.deadlineEnding()));
    }
    const channel = this.invocation.channel.open();
    const deadline = isFar ? Infinity : this.deadline;
    this.call = channel.createCall(this.method, deadline, this.host, this.parentCall, this.propagateFlags);
    this.setAllCredentials(this.call);
    this.call.start(metadata, this);
    if (this.isReadPending) {
      this.call.startRead();
    }
  }

  private setAllCredentials(call: CallStream): void {
    const { channel } = this.invocation;
    if (this.ownCredentials === undefined && !channel.hasCallCredentials) {
      return;
    }
    this.credentials = new AttemptCredentials(this.origin!, this.deadline);
    const credentials = channel.credentialsFor(this.credentials, this.ownCredentials);
    if (credentials !== undefined) {
      call.setCredentials(credentials);
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
    } else if (callback === undefined || this.origin === undefined) {
      this.call.sendMessageWithContext(context, message);
    } else {
      const { origin } = this;
      const written = (error?: Error | null): void => origin.runInAsyncScope(callback, undefined, error);
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
    this.ownCredentials = credentials;
    this.origin ??= new AsyncResource('GrpcDiClientCall', NO_DESTROY_HOOK);
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
    this.inOrigin(deliverMetadata, this.listener!, metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.inOrigin(deliverMessage, this.listener!, message);
  }

  /** Comes exactly once, whatever ended the call. */
  onReceiveStatus(received: StatusObject): void {
    this.finished = true;
    const { channel, parent, signal } = this.invocation;
    channel.callEnded(this);
    parent?.unsubscribe(this);
    if (signal !== undefined) {
      unsubscribeFromSignal(signal, this);
    }
    this.timer?.clear();
    const explained = received.code === status.OK ? received : this.explain(received);
    this.tellEnd(explained, false);
    this.credentials?.callEnded(explained);
    this.deliverStatus(explained);
  }

  /** Of the error that grpc-js makes of a failure, the frames after those of the call site are of no use. */
  private deliverStatus(received: StatusObject): void {
    if (this.invocation.audience === 'listeners' || received.code === status.OK) {
      this.inOrigin(deliverStatus, this.listener!, received);
    } else {
      withoutStackFrames(deliverFailure, this, this.listener!, received);
    }
  }

  onScopeCancelled(parent: CallContextScope): void {
    const { policy } = this.invocation;
    if (endsChildren(parent.cancellationCode, policy!)) {
      this.end(parentEnding(parent, policy!));
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
      this.inOrigin(publishCancel, this.observer, ending);
    }
    if (this.call !== undefined) {
      this.call.cancelWithStatus(ending.code, ending.details);
      cancelAgainInNextTurn(this);
    }
  }

  /** @internal */
  cancelAgain(): void {
    const { code, details } = this.ending!;
    this.call!.cancelWithStatus(code, details);
  }

  private tellStart(): void {
    if (areCallsObserved()) {
      const { channel, parent } = this.invocation;
      this.observer = this.inOrigin(
        newObserver,
        {
          client: channel.client,
          method: this.method,
          target: channel.getTarget(),
          deadline: this.deadline,
          deadlineSource: this.deadlineIsParents ? 'parent' : this.invocation.deadlineSource(this.deadline),
          parent: parent?.label,
        },
        undefined,
      );
    }
  }

  /** @internal */
  deliverRefusal(refused: StatusObject): void {
    this.tellEnd(refused, true);
    this.deliverStatus(refused);
  }

  private tellEnd(received: StatusObject, refused: boolean): void {
    if (this.observer !== undefined) {
      const ending = received.code === this.ending?.code ? this.ending : undefined;
      this.inOrigin(publishEnd, this.observer, { received, ending, refused });
    }
  }

  /** @internal Runs `fn` in the async context of whoever made the call; where nobody hears of it, where it is. */
  inOrigin<A, B, Result>(fn: (a: A, b: B) => Result, a: A, b: B): Result {
    return this.origin === undefined ? fn(a, b) : this.origin.runInAsyncScope(fn, undefined, a, b);
  }

  private refusal(now: number): Ending | undefined {
    const { channel, signal, parent, policy } = this.invocation;
    if (channel.closedBecause !== undefined) {
      return closedEnding(channel.closedBecause);
    }
    if (this.ownCredentials !== undefined && !channel.maySendCallCredentials) {
      return insecureCredentialsEnding(channel);
    }
    if (signal?.aborted) {
      return signalEnding(signal.reason);
    }
    const isLate = this.deadline <= now;
    if (parent !== undefined) {
      // The parent's deadline is no earlier than the call's: while this is ahead, the parent need not look at the clock.
      const code = isLate ? parent.cancellationCode : parent.noticedCancellationCode;
      if (endsChildren(code, policy!)) {
        return parentEnding(parent, policy!);
      }
    }
    return isLate ? this.deadlineEnding() : undefined;
  }

  private refuse({ code, details, cause }: Ending): void {
    this.finished = true;
    this.tellStart();
    const refused: StatusObject & { cause?: unknown } = { code, details, metadata: new Metadata() };
    if (cause !== undefined) {
      refused.cause = cause;
    }
    process.nextTick(deliverRefusal, this, refused);
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
    const failed = this.credentials?.errorBehind(received);
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
      ? parentDeadlineEnding(this.invocation.parent!, this.invocation.policy!)
      : ownDeadlineEnding(this.invocation.deadlineInWords(this.deadline));
  }

  private deadlineInWords(): string {
    return this.deadlineIsParents
      ? parentDeadlineInWords(this.invocation.parent!, this.invocation.policy!)
      : this.invocation.deadlineInWords(this.deadline);
  }
}

function newObserver(facts: ConstructorParameters<typeof CallObserver>[0], _none: undefined): CallObserver {
  return new CallObserver(facts);
}

function publishCancel(observer: CallObserver, ending: Ending): void {
  observer.cancelled(ending);
}

function publishEnd(
  observer: CallObserver,
  { received, ending, refused }: { received: StatusObject; ending: Ending | undefined; refused: boolean },
): void {
  observer.ended(received, ending, refused);
}

function startDetached(call: BoundCall, metadata: Metadata, now: number): void {
  call.startNow(metadata, now);
}

/** Cancelled in this turn of the event loop: a parent may have thousands of children. */
let cancelled: BoundCall[] = [];

/**
 * A call that was started in this tick is on its way to the server all the same (seen in grpc-js 1.14.0 to 1.14.7): the
 * second cancel reaches it there. On any other call it does nothing.
 */
function cancelAgainInNextTurn(call: BoundCall): void {
  if (cancelled.push(call) === 1) {
    runInScope(undefined, setImmediate, cancelAllAgain);
  }
}

function cancelAllAgain(): void {
  const calls = cancelled;
  cancelled = [];
  for (const call of calls) {
    call.cancelAgain();
  }
}

function deliverMetadata(listener: InterceptingListener, metadata: Metadata): void {
  listener.onReceiveMetadata(metadata);
}

function deliverMessage(listener: InterceptingListener, message: unknown): void {
  listener.onReceiveMessage(message);
}

function deliverRefusal(call: BoundCall, refused: StatusObject): void {
  call.deliverRefusal(refused);
}

function deliverFailure(call: BoundCall, listener: InterceptingListener, received: StatusObject): void {
  call.inOrigin(deliverStatus, listener, received);
}

function deliverStatus(listener: InterceptingListener, received: StatusObject): void {
  listener.onReceiveStatus(received);
}
