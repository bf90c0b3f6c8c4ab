/** What of the surrounding call reaches the calls of a client. */
export interface CallContextPropagationOptions {
  /**
   * The parent's deadline, where it is smaller than the call's own. Default `true`. `false`: it never reaches the
   * child, not by its expiry either.
   */
  deadline?: boolean;
  /** The parent's cancellation. Default `true`. `false`: it neither ends the child nor stops it from starting. */
  cancellation?: boolean;
  /**
   * Names of metadata that are copied from the parent's `requestMetadata`, unless the call sets them. Default: none.
   * Every name is written out, `authorization` too: there are no patterns.
   */
  metadata?: readonly string[];
  /** Milliseconds kept back from the parent's deadline, so that the parent can still answer. Default 0. */
  deadlineMarginMs?: number;
  /**
   * What a call does where there is no call context, or one that has ended: throw a `CallContextNotFoundError` at the
   * call site (default), warn once per client and reason (`process.emitWarning`), or go on without a word.
   */
  onContextNotFound?: 'throw' | 'warn' | 'ignore';
}

/** The options with every default filled in. */
export type PropagationPolicy = Readonly<Required<CallContextPropagationOptions>>;

export function propagationPolicy(options: true | CallContextPropagationOptions): PropagationPolicy {
  const { deadline, cancellation, metadata, deadlineMarginMs, onContextNotFound } = options === true ? {} : options;
  return {
    deadline: deadline ?? true,
    cancellation: cancellation ?? true,
    metadata: (metadata ?? []).map((name) => name.toLowerCase()),
    deadlineMarginMs: deadlineMarginMs ?? 0,
    onContextNotFound: onContextNotFound ?? 'throw',
  };
}
