import type { Http2Session } from 'node:http2';
import type { Readable } from 'node:stream';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { type CallContextScope, type CancellationSubscriber, runInScope } from '@grpc-di/call-context/opener';

/**
 * Resolves when a call whose requests have ended is known to be whole, or to be cancelled.
 *
 * Node's http2, and so a grpc-js client, cancels an upload by ending it like any other, and resets it in a packet of
 * its own, which may come many turns of the event loop later. What tells the two apart is a PING: its answer comes
 * behind a reset that was due. That is one round trip per upload; those that end on one connection meanwhile share the
 * next.
 */
export async function endConfirmed(call: Readable, scope: CallContextScope): Promise<void> {
  const session = sessionOf(call);
  if (session !== undefined && !scope.isCancelled) {
    await new Confirmation(session, scope).done;
  }
  // What a reset sets off takes one turn; a client in this process takes one more to send the reset after the end.
  await turnOfEventLoop();
  await turnOfEventLoop();
}

/** A peer must answer a PING (RFC 9113, 6.7). One that does not gets no longer than this, in ms. */
const LONGEST_WAIT_MS = 5_000;

/** One upload that waits for the answer to a PING, or for its own cancellation. */
class Confirmation implements CancellationSubscriber {
  previousSubscriber: CancellationSubscriber | undefined;
  nextSubscriber: CancellationSubscriber | undefined;
  readonly done: Promise<void>;
  private resolve!: () => void;
  private readonly timer: NodeJS.Timeout;

  constructor(
    session: Http2Session,
    private readonly scope: CallContextScope,
  ) {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = setTimeout(settle, LONGEST_WAIT_MS, this).unref();
    scope.subscribe(this);
    pingsOf(session).answerNext(this);
  }

  onScopeCancelled(): void {
    this.settle();
  }

  settle(): void {
    clearTimeout(this.timer);
    this.scope.unsubscribe(this);
    this.resolve();
  }
}

function settle(confirmation: Confirmation): void {
  confirmation.settle();
}

/** The PINGs of one connection: one at a time, because an answer that is under way may come before the reset. */
class Pings {
  private waiting: Confirmation[] = [];
  private isUnderWay = false;

  constructor(private readonly session: Http2Session) {}

  answerNext(confirmation: Confirmation): void {
    this.waiting.push(confirmation);
    if (!this.isUnderWay) {
      this.send();
    }
  }

  private send(): void {
    const answered = this.waiting;
    this.waiting = [];
    this.isUnderWay = true;
    const onAnswer = (): void => {
      this.isUnderWay = false;
      for (const confirmation of answered) {
        confirmation.settle();
      }
      if (this.waiting.length > 0) {
        this.send();
      }
    };
    try {
      runInScope(undefined, ping, this.session, onAnswer);
    } catch {
      onAnswer(); // the session is gone
    }
  }
}

function ping(session: Http2Session, onAnswer: () => void): void {
  session.ping(onAnswer);
}

const pings = new WeakMap<Http2Session, Pings>();

function pingsOf(session: Http2Session): Pings {
  let existing = pings.get(session);
  if (existing === undefined) {
    existing = new Pings(session);
    pings.set(session, existing);
  }
  return existing;
}

/** What grpc-js keeps to itself: a handler's call, the calls of the interceptors under it, and the wire's (1.14). */
interface ServerCallLayer {
  readonly call?: ServerCallLayer;
  readonly nextCall?: ServerCallLayer;
  readonly stream?: { readonly session?: Http2Session };
}

function sessionOf(call: Readable): Http2Session | undefined {
  let layer: ServerCallLayer | undefined = (call as ServerCallLayer).call;
  while (layer !== undefined && layer.stream === undefined) {
    layer = layer.nextCall;
  }
  const session = layer?.stream?.session;
  return session === undefined || session.destroyed ? undefined : session;
}
