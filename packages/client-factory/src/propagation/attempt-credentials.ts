import type { AsyncResource } from 'node:async_hooks';
import { type StatusObject, status } from '@grpc/grpc-js';
import type { CredentialedCall } from './call-target.js';
import { callFailure } from './endings.js';

/** What grpc-js's status says last when call credentials fail. */
const CREDENTIALS_FAILED = 'Getting metadata from plugin failed with error: ';

/** A call as its call credentials see it: most calls have none. */
export class AttemptCredentials implements CredentialedCall {
  /** For credentials that want to know when nobody needs them any more. */
  private failure: AbortController | undefined;
  /** Of all attempts, and of several credentials for one: the status tells which one counted. */
  private errors: Array<{ readonly thrown: unknown; readonly message: string }> | undefined;
  /** With an error. */
  private endedWith: StatusObject | undefined;

  constructor(
    private readonly origin: AsyncResource,
    readonly deadline: number,
  ) {}

  get signal(): AbortSignal {
    if (this.failure === undefined) {
      this.failure = new AbortController();
      if (this.endedWith !== undefined) {
        this.failure.abort(callFailure(this.endedWith));
      }
    }
    return this.failure.signal;
  }

  runInAsyncScope<This, Result, Args extends unknown[]>(
    fn: (this: This, ...args: Args) => Result,
    thisArg?: This,
    ...args: Args
  ): Result {
    return this.origin.runInAsyncScope(fn, thisArg, ...args);
  }

  credentialsFailed(thrown: unknown, message: string): void {
    (this.errors ??= []).push({ thrown, message });
  }

  /** What a provider threw, where it is what the call failed with. */
  errorBehind({ details }: StatusObject): { readonly thrown: unknown } | undefined {
    return this.errors?.find(({ message }) => details.endsWith(CREDENTIALS_FAILED + message));
  }

  callEnded(received: StatusObject): void {
    if (received.code !== status.OK) {
      this.endedWith = received;
      this.failure?.abort(callFailure(received));
    }
  }
}
