import type { CallContext, RequestMetadata } from './call-context.js';
import type { CallContextScope } from './scope.js';

/** A symbol of the registry, so that another installed copy of this package can open scopes inside this one's. */
const scopeKey: unique symbol = Symbol.for('@grpc-di/call-context/scope@1') as never;

/** The read-only view of a scope that the code inside the call gets. */
export class ScopeCallContext implements CallContext {
  readonly #scope: CallContextScope;

  constructor(scope: CallContextScope) {
    this.#scope = scope;
  }

  get deadline(): number {
    return this.#scope.deadline;
  }

  get signal(): AbortSignal {
    return this.#scope.signal;
  }

  get cancelled(): boolean {
    return this.#scope.isCancelled;
  }

  get ended(): boolean {
    return this.#scope.hasEnded;
  }

  get requestMetadata(): RequestMetadata | undefined {
    return this.#scope.requestMetadata;
  }

  timeRemaining(): number {
    return Math.max(0, this.deadline - Date.now());
  }

  throwIfCancelled(): void {
    if (this.#scope.isCancelled) {
      throw this.#scope.reason!;
    }
  }

  get [scopeKey](): CallContextScope {
    return this.#scope;
  }
}

/** The scope behind a context; `undefined` for anything that is no context. */
export function scopeOf(context: CallContext): CallContextScope | undefined {
  return (context as Partial<ScopeCallContext> | null)?.[scopeKey];
}
