import { type CallContext, type CallContextInit, currentCallContext } from '@grpc-di/call-context';
import { CallContextScope, checkScopeInit, describeValue, ScopeCallContext } from '@grpc-di/call-context/opener';

/** A call context whose owner is the test. */
export interface FakeCallContext extends CallContext {
  /** Runs `fn` with this context as the current one, also when it was cancelled. */
  run<R>(fn: () => R): R;
  /**
   * Cuts the call short, as the client's leaving (code 1 CANCELLED, the default) or its deadline (code 4
   * DEADLINE_EXCEEDED) would. Does nothing once the context was cancelled or has ended.
   */
  cancel(code?: 1 | 4, message?: string): void;
  /** The call completed: the context is no longer found. Does nothing once it was cancelled. */
  end(): void;
}

/**
 * Opens a call context, inside the current one where there is one. It is a real one: code that runs in it finds it with
 * `currentCallContext()`, and the clients that propagate inherit its deadline and its cancellation.
 *
 * @example
 * const context = fakeCallContext({ timeoutMs: 1_000 });
 * const report = context.run(() => reports.build());
 * context.cancel();
 * await expect(report).rejects.toMatchObject({ code: status.CANCELLED });
 *
 * @throws TypeError naming the option, for invalid options.
 */
export function fakeCallContext(init: CallContextInit = {}): FakeCallContext {
  if (typeof init !== 'object' || init === null) {
    throw new TypeError(
      `fakeCallContext(init): init must be an object such as { timeoutMs: 1_000 }, not ${describeValue(init)}`,
    );
  }
  checkScopeInit(init);
  return new FakeScope({ ...init, parent: currentCallContext() }).context as FakeCallContext;
}

/** The scope of a fake context: what it shows to the code inside is what the test holds. */
class FakeScope extends CallContextScope {
  protected override createContext(): FakeCallContext {
    return new FakeScopeCallContext(this);
  }
}

class FakeScopeCallContext extends ScopeCallContext implements FakeCallContext {
  readonly #scope: CallContextScope;

  constructor(scope: CallContextScope) {
    super(scope);
    this.#scope = scope;
  }

  run<R>(fn: () => R): R {
    if (typeof fn !== 'function') {
      throw new TypeError(`fakeCallContext().run(fn): fn must be a function, not ${describeValue(fn)}`);
    }
    return this.#scope.run(fn);
  }

  cancel(code: 1 | 4 = 1, message = `${this.#scope.label} was cut short by its test`): void {
    if (code !== 1 && code !== 4) {
      throw new TypeError(
        `fakeCallContext().cancel(code): code must be 1 (CANCELLED) or 4 (DEADLINE_EXCEEDED), not ${describeValue(code)}`,
      );
    }
    this.#scope.cancel(code, message);
  }

  end(): void {
    this.#scope.end();
  }
}
