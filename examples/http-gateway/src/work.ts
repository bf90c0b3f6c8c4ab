import { setTimeout } from 'node:timers/promises';
import { requireCallContext } from '@grpc-di/client-factory';

/** Stands for a database's work: it stops in the middle when the call is over that it is done for. */
export async function work(durationMs: number): Promise<void> {
  const context = requireCallContext();
  try {
    await setTimeout(durationMs, undefined, { signal: context.signal });
  } catch (error) {
    // Node's AbortError does not say why; this does.
    context.throwIfCancelled();
    throw error;
  }
}
