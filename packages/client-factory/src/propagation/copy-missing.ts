import type { Metadata } from '@grpc/grpc-js';
import type { RequestMetadata } from '@grpc-di/call-context';

/** Copies the named entries, except those that are already there. */
export function copyMissing(names: readonly string[], from: RequestMetadata, to: Metadata): void {
  for (const name of names) {
    if (to.get(name).length === 0) {
      for (const value of from.get(name)) {
        to.add(name, value);
      }
    }
  }
}
