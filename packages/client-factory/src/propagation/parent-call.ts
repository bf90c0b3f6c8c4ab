import {
  type CallContextScope,
  type CancellationCode,
  callContextNotFound,
  currentScope,
  surroundingScope,
} from '@grpc-di/call-context/opener';
import { contextNotFound } from '../diagnostics/channels.js';
import type { ContextNotFoundMessage } from '../diagnostics/messages.js';
import type { PropagationPolicy } from './propagation-options.js';

// What a child call takes over of the call that it starts in: two arguments instead of an object per call.

/** Epoch milliseconds, the margin taken off; `Infinity` when none reaches the child. */
export function deadlineForChildren(parent: CallContextScope, policy: PropagationPolicy): number {
  return policy.deadline ? parent.deadline - policy.deadlineMarginMs : Infinity;
}

/** Whether the parent, cancelled with `code`, ends its children. */
export function endsChildren(code: CancellationCode | undefined, policy: PropagationPolicy): boolean {
  return code !== undefined && (code === 4 ? policy.deadline : policy.cancellation);
}

/** Whose deadline it is, for messages. */
export function parentDeadlineInWords(
  parent: CallContextScope,
  { deadlineMarginMs: margin }: PropagationPolicy,
): string {
  const { label } = parent;
  const name = label.charAt(0).toLowerCase() + label.slice(1);
  return `the parent's deadline, that of ${name}${margin === 0 ? '' : `, less a margin of ${margin} ms`}`;
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
  find(method: string): CallContextScope | undefined {
    const scope = currentScope();
    if (scope !== undefined) {
      return scope;
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
