import { setMaxListeners } from 'node:events';
import { type AbortSubscriber, subscribeToSignal, unsubscribeFromSignal } from './abort-subscription.js';
import { runInScope } from './ambient.js';
import type { CallContext, RequestMetadata } from './call-context.js';
import { epochMs, timeoutToDeadline } from './deadline.js';
import { DeadlineTimer } from './deadline-timer.js';
import { type CallCancelledError, type CancellationCode, cancellationError, isCallCancelledError } from './errors.js';
import { ScopeCallContext, scopeOf } from './scope-call-context.js';
import { type CallContextScopeInit, checkScopeInit } from './scope-init.js';
import { warnOfSubscriberError } from './subscriber-error.js';

/**
 * What a scope tells of its cancellation: a child call, a nested scope. It is a link in the list of the one scope that it
 * is subscribed to: in a `Set` that children come into and leave all the time, V8 makes a new table again and again, and
 * an old one in the old generation keeps all later ones from being collected, with children that ended long ago.
 */
export interface CancellationSubscriber {
  /** @internal the scope's */
  previousSubscriber?: CancellationSubscriber | undefined;
  /** @internal the scope's */
  nextSubscriber?: CancellationSubscriber | undefined;
  /** Runs once, synchronously, in no particular call context. `scope` knows code and reason. */
  onScopeCancelled(scope: CallContextScope): void;
}

type State = 'open' | 'cancelled' | 'ended';

/**
 * The owner's side of a call context: whoever opens one keeps the scope, and gives `context` to the code inside.
 * An owner calls `end()` when the call completed and `cancel()` when it was cut short; the first of the two counts.
 *
 * It costs one object. The context object, an AbortController, a timer for the deadline and the set of
 * subscribers are made only when something asks for them.
 */
export class CallContextScope implements CancellationSubscriber, AbortSubscriber {
  /** Epoch milliseconds; `Infinity` when there is none. */
  readonly deadline: number;
  readonly parent: CallContextScope | undefined;
  readonly name: string | undefined;
  requestMetadata: RequestMetadata | undefined;
  /** Epoch milliseconds of `end()`; 0 before it. */
  endedAt = 0;
  /** @internal */
  previousSubscriber: CancellationSubscriber | undefined;
  /** @internal */
  nextSubscriber: CancellationSubscriber | undefined;

  private state: State = 'open';
  private cancellation: { code: CancellationCode; message: string; cause: unknown } | undefined;
  private cancellationError: CallCancelledError | undefined;
  private facade: CallContext | undefined;
  private controller: AbortController | undefined;
  private timer: DeadlineTimer | undefined;
  private firstSubscriber: CancellationSubscriber | undefined;
  private lastSubscriber: CancellationSubscriber | undefined;
  private followedSignal: AbortSignal | undefined;

  /**
   * @throws TypeError naming the option, for a deadline or timeout that is none, a signal that is no AbortSignal,
   * request metadata without `get()`, a parent that is no call context, and unknown options.
   */
  constructor(init: CallContextScopeInit) {
    // What subclasses pass comes from grpc-js or node:http, or they check it themselves.
    if (new.target === CallContextScope) {
      checkScopeInit(init);
    }
    const parent = init.parent === undefined ? undefined : scopeOf(init.parent);
    this.parent = parent === undefined || parent.hasEnded ? undefined : parent;
    this.name = init.name;
    this.requestMetadata = init.requestMetadata ?? this.parent?.requestMetadata;
    this.deadline = this.parent?.deadline ?? Infinity;
    if (init.deadline !== undefined) {
      this.deadline = Math.min(this.deadline, epochMs(init.deadline, 'deadline'));
    }
    if (init.timeoutMs !== undefined) {
      this.deadline = Math.min(this.deadline, timeoutToDeadline(init.timeoutMs, 'timeoutMs'));
    }
    this.parent?.subscribe(this);
    if (init.signal !== undefined && this.state === 'open') {
      this.followedSignal = init.signal;
      subscribeToSignal(init.signal, this);
    }
  }

  /** The view for the code inside the call. */
  get context(): CallContext {
    return (this.facade ??= this.createContext());
  }

  /** Whether somebody asked for {@link context}. */
  get hasContext(): boolean {
    return this.facade !== undefined;
  }

  /** Calls `fn` with this scope as the current one, also when it is cancelled. */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    return runInScope(this, fn, ...args);
  }

  /**
   * Cuts the call short: its signal aborts, nested scopes and child calls are cancelled. Does nothing when the call
   * has ended or was cancelled before, by its deadline too. Every subscriber runs, also when one throws: that is a
   * process warning.
   */
  cancel(code: CancellationCode, message: string, cause?: unknown): void {
    this.expire();
    this.cut(code, message, cause);
  }

  /**
   * The call completed. Child calls that are running are left alone; nothing of them is kept. Past the deadline, the
   * call counts as cancelled by it.
   */
  end(): void {
    const now = this.expire();
    if (this.state === 'open') {
      this.state = 'ended';
      this.endedAt = now;
      this.release();
      this.forgetSubscribers();
    }
  }

  get hasEnded(): boolean {
    return this.state === 'ended';
  }

  /** Cancelled, or past the deadline without having ended. */
  get isCancelled(): boolean {
    this.expire();
    return this.state === 'cancelled';
  }

  /** Why the scope was cancelled; `undefined` while it was not. One object, made on first read. */
  get reason(): CallCancelledError | undefined {
    if (this.cancellationError === undefined && this.isCancelled) {
      const { code, message, cause } = this.cancellation!;
      this.cancellationError = cancellationError(code, message, cause);
    }
    return this.cancellationError;
  }

  /** {@link reason}'s code, without making the error. */
  get cancellationCode(): CancellationCode | undefined {
    return this.isCancelled ? this.cancellation!.code : undefined;
  }

  /** The same, as far as anybody has noticed: without a look at the clock. */
  get noticedCancellationCode(): CancellationCode | undefined {
    return this.cancellation?.code;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      // Node 20 warns of a leak at the eleventh listener; a fan-out of calls has more.
      setMaxListeners(0, this.controller.signal);
      if (this.isCancelled) {
        abort(this.controller, this);
      } else if (this.state === 'open' && this.deadline !== Infinity) {
        this.timer = new DeadlineTimer(this.deadline, () => this.expire());
      }
    }
    return this.controller.signal;
  }

  /**
   * Tells `subscriber` of the cancellation, at once when it was noticed already. O(1), like {@link unsubscribe}. The
   * deadline alone starts no timer here: who subscribes has it as a deadline of its own.
   */
  subscribe(subscriber: CancellationSubscriber): void {
    if (this.state === 'cancelled') {
      subscriber.onScopeCancelled(this);
    } else if (this.state === 'open') {
      const last = this.lastSubscriber;
      this.lastSubscriber = subscriber;
      if (last === undefined) {
        this.firstSubscriber = subscriber;
      } else {
        last.nextSubscriber = subscriber;
        subscriber.previousSubscriber = last;
      }
    }
  }

  /** Does nothing for one that is subscribed nowhere. */
  unsubscribe(subscriber: CancellationSubscriber): void {
    const { previousSubscriber: previous, nextSubscriber: next } = subscriber;
    if (previous !== undefined) {
      previous.nextSubscriber = next;
    } else if (this.firstSubscriber === subscriber) {
      this.firstSubscriber = next;
    }
    if (next !== undefined) {
      next.previousSubscriber = previous;
    } else if (this.lastSubscriber === subscriber) {
      this.lastSubscriber = previous;
    }
    subscriber.previousSubscriber = undefined;
    subscriber.nextSubscriber = undefined;
  }

  /** How many child calls and nested scopes are subscribed: what a leak test asserts. */
  get subscriberCount(): number {
    let count = 0;
    for (let subscriber = this.firstSubscriber; subscriber !== undefined; subscriber = subscriber.nextSubscriber) {
      count++;
    }
    return count;
  }

  /** The call in words, as a sentence about it begins: by its own name, else by the nearest name around it. */
  get label(): string {
    if (this.name !== undefined) {
      return `The call of ${this.name}`;
    }
    if (this.parent === undefined) {
      return 'The call context';
    }
    let around: CallContextScope | undefined = this.parent;
    while (around !== undefined && around.name === undefined) {
      around = around.parent;
    }
    return `A call context inside ${around === undefined ? 'another' : `the call of ${around.name}`}`;
  }

  /** @internal */
  onScopeCancelled(parent: CallContextScope): void {
    this.expire();
    this.followParent(parent);
  }

  /** @internal */
  onSignalAborted(reason: unknown): void {
    const code = isCallCancelledError(reason) ? reason.code : 1;
    this.cancel(code, `${this.label} was cancelled by its signal`, reason);
  }

  /** The context object of this scope; what a scope of a server call widens. */
  protected createContext(): CallContext {
    return new ScopeCallContext(this);
  }

  /** The clock may have passed the deadline before any timer or peer said so. @returns epoch ms; 0 once it is over. */
  private expire(): number {
    if (this.state !== 'open') {
      return 0;
    }
    const now = Date.now();
    if (now < this.deadline) {
      return now;
    }
    if (this.parent?.deadline === this.deadline && this.parent.isCancelled) {
      this.followParent(this.parent);
    } else {
      this.cut(4, `${this.label} was cut short: its deadline passed`, undefined);
    }
    return 0;
  }

  private followParent(parent: CallContextScope): void {
    const code = parent.cancellationCode!;
    const fate = code === 4 ? 'was cut short: the deadline of its parent passed' : 'was cancelled with its parent';
    this.cut(code, `${this.label} ${fate}`, parent.reason);
  }

  private cut(code: CancellationCode, message: string, cause: unknown): void {
    if (this.state !== 'open') {
      return;
    }
    this.state = 'cancelled';
    this.cancellation = { code, message, cause };
    this.release();
    // The call's own signal first: its listeners learn of the higher unit of work before errors of the children arrive.
    if (this.controller !== undefined) {
      this.run(abort, this.controller, this);
    }
    // One at a time off the list: whoever unsubscribes while others are told is not told.
    for (let first = this.firstSubscriber; first !== undefined; first = this.firstSubscriber) {
      this.unsubscribe(first);
      notify(first, this);
    }
  }

  /** Link by link: a subscriber that stays, and what it stays in, must not keep the others. */
  private forgetSubscribers(): void {
    for (let first = this.firstSubscriber; first !== undefined; first = this.firstSubscriber) {
      this.unsubscribe(first);
    }
  }

  /** Lets go of the timer and of what this scope follows. */
  private release(): void {
    this.timer?.clear();
    this.timer = undefined;
    this.parent?.unsubscribe(this);
    if (this.followedSignal !== undefined) {
      unsubscribeFromSignal(this.followedSignal, this);
      this.followedSignal = undefined;
    }
  }
}

function abort(controller: AbortController, scope: CallContextScope): void {
  controller.abort(scope.reason);
}

function notify(subscriber: CancellationSubscriber, scope: CallContextScope): void {
  try {
    subscriber.onScopeCancelled(scope);
  } catch (error) {
    warnOfSubscriberError(error);
  }
}
