import {
  type CallContextScope,
  callContextNotFound,
  currentScope,
  surroundingScope,
} from '@grpc-di/call-context/opener';
import { contextNotFound } from '../diagnostics/channels.js';
import type { ContextNotFoundMessage } from '../diagnostics/messages.js';
import type { PropagationPolicy } from './propagation-options.js';

/** The call that a child call starts in, and what of it the child takes over. */
export class ParentCall {
  constructor(
    readonly scope: CallContextScope,
    private readonly policy: PropagationPolicy,
  ) {}

  /** Epoch milliseconds, the margin taken off; `Infinity` when none reaches the child. */
  get deadline(): number {
    return this.policy.deadline ? this.scope.deadline - this.policy.deadlineMarginMs : Infinity;
  }

  /** Whether the parent has been cut short in a way that ends its children. */
  get endsChildren(): boolean {
    const code = this.scope.cancellationCode;
    return code !== undefined && (code === 4 ? this.policy.deadline : this.policy.cancellation);
  }

  /** Names of the request metadata that the child takes over. */
  get metadataNames(): readonly string[] {
    return this.policy.metadata;
  }

  /** Whose deadline it is, for messages. */
  get deadlineInWords(): string {
    const margin = this.policy.deadlineMarginMs;
    const { label } = this.scope;
    const parent = label.charAt(0).toLowerCase() + label.slice(1);
    return `the parent's deadline, that of ${parent}${margin === 0 ? '' : `, less a margin of ${margin} ms`}`;
  }
}

/** Finds the parent of each call that a client starts. */
export class ParentFinder {
  private readonly warned = new Set<string>();

  constructor(
    private readonly client: string,
    readonly policy: PropagationPolicy,
  ) {}

  /**
   * The call that is running now. Looked up per call: one client serves all requests at once.
   *
   * @throws CallContextNotFoundError where there is none, unless the client was told otherwise.
   */
  find(method: string): ParentCall | undefined {
    const scope = currentScope();
    if (scope !== undefined) {
      return new ParentCall(scope, this.policy);
    }
    const { onContextNotFound } = this.policy;
    if (contextNotFound.hasSubscribers || onContextNotFound !== 'ignore') {
      this.complain(method, onContextNotFound);
    }
    return undefined;
  }

  private complain(method: string, onContextNotFound: PropagationPolicy['onContextNotFound']): void {
    const surrounding = surroundingScope();
    const error = callContextNotFound(
      surrounding,
      `gRPC client '${this.client}' propagates the call context, and found none to call ${method} in.`,
    );
    const reason = surrounding === undefined ? 'no-call' : 'call-ended';
    if (contextNotFound.hasSubscribers) {
      const { client } = this;
      const details = error.message;
      contextNotFound.publish({ client, method, reason, details, onContextNotFound } satisfies ContextNotFoundMessage);
    }
    if (onContextNotFound === 'throw') {
      throw error;
    }
    if (onContextNotFound === 'warn' && !this.warned.has(reason)) {
      this.warned.add(reason);
      // As text: in jest's realm and in `node:vm` Node does not know an Error for one, and throws its own.
      process.emitWarning(error.message, error.name);
    }
  }
}
