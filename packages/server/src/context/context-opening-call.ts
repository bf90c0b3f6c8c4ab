import {
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
  status,
} from '@grpc/grpc-js';
import { DeadlineTimer } from '@grpc-di/call-context/opener';
import type { InterceptingServerListener, PartialStatusObject } from '../grpc-js-types.js';
import { ServerCallScope, type ServerScopePolicy } from './server-call-scope.js';

/**
 * Between the wire and the next interceptor: every event of the call reaches them, and the handler, inside its scope.
 *
 * Each of the four events has to be wrapped: unary and server streaming handlers start at the half-close, the other two
 * at the metadata, 'data' listeners run at the messages. Not with grpc-js's own `ServerInterceptingCall`, which calls
 * `onCancel` of the next listener outside whatever an interceptor's listener does, and makes two objects more per call.
 */
export class ContextOpeningCall implements ServerInterceptingCallInterface, InterceptingServerListener {
  private readonly scope: ServerCallScope;
  private readonly answersOnce: boolean;
  /** Where `maxTimeoutMs` ends the call, in epoch ms; `Infinity` where its own deadline comes first. */
  private cap = Infinity;
  private readonly timer: DeadlineTimer | undefined;
  private listener: InterceptingServerListener | undefined;

  constructor(
    method: ServerMethodDefinition<unknown, unknown>,
    /** The wire's. grpc-js's own interceptor calls have it under this name too, and end-confirmation.ts looks for it. */
    private readonly nextCall: ServerInterceptingCallInterface,
    policy: ServerScopePolicy & { readonly maxTimeoutMs: number },
  ) {
    this.answersOnce = !method.responseStream;
    const deadline = Number(nextCall.getDeadline());
    const peer = nextCall.getConnectionInfo();
    if (policy.maxTimeoutMs === Infinity) {
      this.scope = new ServerCallScope(method.path, deadline, nextCall, peer, policy);
    } else {
      const cap = Date.now() + policy.maxTimeoutMs;
      this.scope = new ServerCallScope(method.path, Math.min(deadline, cap), nextCall, peer, policy);
      if (cap < deadline) {
        this.cap = cap;
        this.timer = new DeadlineTimer(cap, () => this.endAtCap(policy.maxTimeoutMs));
      }
    }
  }

  start(listener: InterceptingServerListener): void {
    this.listener = listener;
    this.nextCall.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.scope.requestMetadata = metadata;
    this.scope.run(receiveMetadata, this.listener!, metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.scope.run(receiveMessage, this.listener!, message);
  }

  onReceiveHalfClose(): void {
    this.scope.run(receiveHalfClose, this.listener!);
  }

  /** Fires once for every ending, a normal one too, since grpc-js 1.10 (grpc-node #2771): completed scopes ignore it. */
  onCancel(): void {
    this.timer?.clear();
    this.scope.abandon();
    this.scope.run(receiveCancel, this.listener!);
  }

  sendMetadata(metadata: Metadata): void {
    if (this.isPastCap()) {
      return;
    }
    this.scope.headersSent = true;
    this.nextCall.sendMetadata(metadata);
  }

  sendMessage(message: unknown, callback: () => void): void {
    if (this.isPastCap()) {
      return;
    }
    this.scope.headersSent = true;
    if (this.answersOnce) {
      this.complete();
    }
    this.nextCall.sendMessage(message, callback);
  }

  sendStatus(partialStatus: PartialStatusObject): void {
    if (this.isPastCap()) {
      return;
    }
    this.complete();
    const { code, details, metadata } = partialStatus;
    this.nextCall.sendStatus({ code, details, metadata: this.scope.withTrailers(metadata) });
  }

  startRead(): void {
    this.nextCall.startRead();
  }

  getPeer(): string {
    return this.nextCall.getPeer();
  }

  getDeadline(): ReturnType<ServerInterceptingCallInterface['getDeadline']> {
    return this.nextCall.getDeadline();
  }

  getHost(): string {
    return this.nextCall.getHost();
  }

  getAuthContext(): ReturnType<ServerInterceptingCallInterface['getAuthContext']> {
    return this.nextCall.getAuthContext();
  }

  getConnectionInfo(): ReturnType<ServerInterceptingCallInterface['getConnectionInfo']> {
    return this.nextCall.getConnectionInfo();
  }

  getMetricsRecorder(): ReturnType<ServerInterceptingCallInterface['getMetricsRecorder']> {
    return this.nextCall.getMetricsRecorder();
  }

  private complete(): void {
    this.timer?.clear();
    this.cap = Infinity;
    this.scope.complete();
  }

  /** The context's signal may abort a moment before the timer fires; what is answered then comes too late. */
  private isPastCap(): boolean {
    return this.cap !== Infinity && Date.now() >= this.cap;
  }

  private endAtCap(maxTimeoutMs: number): void {
    this.nextCall.sendStatus({
      code: status.DEADLINE_EXCEEDED,
      details: `Deadline exceeded: this server lets a call take ${maxTimeoutMs} ms at most`,
      metadata: this.scope.withTrailers(),
    });
    this.scope.abandon();
  }
}

function receiveMetadata(listener: InterceptingServerListener, metadata: Metadata): void {
  listener.onReceiveMetadata(metadata);
}

function receiveMessage(listener: InterceptingServerListener, message: unknown): void {
  listener.onReceiveMessage(message);
}

function receiveHalfClose(listener: InterceptingServerListener): void {
  listener.onReceiveHalfClose();
}

function receiveCancel(listener: InterceptingServerListener): void {
  listener.onCancel();
}
