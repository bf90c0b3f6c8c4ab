import { Metadata, status } from '@grpc/grpc-js';
import { CallContextScope, describeValue, ScopeCallContext } from '@grpc-di/call-context/opener';
import type { ServerCallContext } from './server-call-context.js';

/** What a scope asks of the call under it: grpc-js's interceptor calls and handler calls both have it. */
export interface ServedCall {
  getHost(): string;
  getMetricsRecorder(): object;
  sendMetadata(headers: Metadata): void;
}

/** The client's end of it. */
export interface Connection {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** How the server treats its calls' contexts: `callContextInterceptor`'s options, with the defaults filled in. */
export interface ServerScopePolicy {
  readonly cancelOnCompletion: boolean;
  readonly deadlineSlackMs: number;
}

/** In ms. The client's reset often arrives before the server's own clock reaches the deadline that it stands for. */
export const DEFAULT_DEADLINE_SLACK_MS = 250;

/** A symbol of the registry, so that two installed copies of this package know each other's scopes. */
const serverScopeKey: unique symbol = Symbol.for('@grpc-di/server/scope@1') as never;

/** The scope of one call that a grpc-js server serves. */
export class ServerCallScope extends CallContextScope {
  readonly [serverScopeKey] = true;
  headersSent = false;

  readonly host: string;

  /** The one object of grpc-js's that all interceptors and the handler of a call have in common. */
  private readonly recorder: object;
  /** Let go at the end: contexts outlive their calls in timers and pools. */
  private call: ServedCall | undefined;
  private trailersToSend: Metadata | undefined;

  /** @param connection taken beforehand: when it drops, grpc-js forgets whose it was before it says so. */
  constructor(
    readonly method: string,
    deadline: number,
    call: ServedCall,
    private readonly connection: Connection,
    private readonly policy: ServerScopePolicy,
  ) {
    super({ deadline, name: method });
    this.call = call;
    this.host = call.getHost();
    this.recorder = call.getMetricsRecorder();
  }

  /** The client's address, `unknown` where the transport has none. */
  get peer(): string {
    const { remoteAddress, remotePort } = this.connection;
    return remotePort ? `${remoteAddress}:${remotePort}` : (remoteAddress ?? 'unknown');
  }

  get serverContext(): ServerCallContext {
    return this.context as ServerCallContext;
  }

  /** The handler answered: with a status, or with the only response it has. */
  complete(): void {
    if (this.policy.cancelOnCompletion) {
      this.cancel(status.CANCELLED, `${this.label} was completed by its handler (cancelOnCompletion is on)`);
    } else {
      this.end();
    }
    this.call = undefined;
  }

  /**
   * The call is over, and its handler did not end it: the client cancelled, its connection dropped, or a deadline
   * passed. A client's reset carries no reason, so one shortly before the deadline counts as the deadline.
   */
  abandon(): void {
    if (this.hasEnded) {
      return;
    }
    if (this.deadline !== Infinity && this.deadline - Date.now() <= this.policy.deadlineSlackMs) {
      this.cancel(status.DEADLINE_EXCEEDED, `${this.label} was cut short: its deadline passed`);
    } else {
      this.cancel(status.CANCELLED, `${this.label} was cancelled by its client, or the connection dropped`);
    }
    this.call = undefined;
  }

  /** Whether `call` is the one that this scope was opened for, as its handler sees it. */
  serves(call: ServedCall): boolean {
    return this.recorder === call.getMetricsRecorder();
  }

  /** The call through which a handler sends: interceptors between it and the wire see what it sends. */
  servedThrough(call: ServedCall & { metadata: Metadata }): void {
    this.call = call;
    this.requestMetadata = call.metadata;
  }

  get trailers(): Metadata {
    return (this.trailersToSend ??= new Metadata());
  }

  /** `metadata` with the context's trailers added, those once. */
  withTrailers(metadata?: Metadata | null): Metadata | undefined {
    const trailers = this.trailersToSend;
    this.trailersToSend = undefined;
    if (trailers === undefined || !metadata) {
      return trailers ?? metadata ?? undefined;
    }
    const merged = metadata.clone();
    merged.merge(trailers);
    return merged;
  }

  sendHeaders(headers: Metadata): void {
    if (!(headers instanceof Metadata)) {
      throw new TypeError(
        `sendMetadata(headers): headers must be a Metadata of @grpc/grpc-js, not ${describeValue(headers)}`,
      );
    }
    if (this.headersSent) {
      throw new Error(
        `The response headers of ${this.method} were already sent: call sendMetadata once, before the first message`,
      );
    }
    this.headersSent = true;
    this.call?.sendMetadata(headers);
  }

  protected override createContext(): ServerCallContext {
    return new ScopeServerCallContext(this);
  }
}

/** The innermost scope of a served call that `scope` is or lies in. */
export function serverScopeAround(scope: CallContextScope | undefined): ServerCallScope | undefined {
  let around = scope;
  while (around !== undefined && !(serverScopeKey in around)) {
    around = around.parent;
  }
  return around as ServerCallScope | undefined;
}

class ScopeServerCallContext extends ScopeCallContext implements ServerCallContext {
  readonly #scope: ServerCallScope;

  constructor(scope: ServerCallScope) {
    super(scope);
    this.#scope = scope;
  }

  get method(): string {
    return this.#scope.method;
  }

  get host(): string {
    return this.#scope.host;
  }

  get peer(): string {
    return this.#scope.peer;
  }

  override get requestMetadata(): Metadata {
    return this.#scope.requestMetadata as Metadata;
  }

  get trailers(): Metadata {
    return this.#scope.trailers;
  }

  sendMetadata(headers: Metadata): void {
    this.#scope.sendHeaders(headers);
  }
}
