import type { DefaultMetadata } from './call-metadata.js';

/** What every call of a client has, unless it says otherwise. */
export interface CallDefaults {
  readonly metadata: DefaultMetadata | undefined;
  /** For calls that set neither deadline nor timeoutMs; `undefined` for none. */
  readonly timeoutMs: number | undefined;
}
