import type { WorkerProcess } from '../../harness/worker-process.js';
import type { FrontendProcess } from '../../processes/frontend.js';
import { OpenStream } from './open-stream.js';

/** What nested calls leave behind in the service that makes them, while the call that they belong to goes on. */
export interface Retention {
  /** After the warm-up, and again after every so many calls; the stream stays open. */
  readonly heap: readonly HeapReading[];
  /** From half-closing a stream until its status arrives, in milliseconds, for new streams with a few calls. */
  readonly replyDelaysBefore: readonly number[];
  /** The same for the stream with all the calls. */
  readonly replyDelayAfter: number;
  /** What the frontend's process warned of, from its start; each warning once. */
  readonly warnings: readonly string[];
}

export interface HeapReading {
  /** Nested calls since the warm-up. */
  readonly calls: number;
  /** In use after a full collection. */
  readonly bytes: number;
}

export interface RetentionPlan {
  readonly warmUpCalls: number;
  /** As many as there are after `batches`, or after the batch in which the heap has grown by `maxGrowth` bytes. */
  readonly batches: number;
  readonly callsPerBatch: number;
  readonly maxGrowth: number;
  /** New streams whose reply is timed before, each with `callsPerShortStream` calls. */
  readonly shortStreams: number;
  readonly callsPerShortStream: number;
}

export async function retentionOf(frontend: WorkerProcess<FrontendProcess>, plan: RetentionPlan): Promise<Retention> {
  const port = await frontend.ask('port');
  const replyDelaysBefore: number[] = [];
  for (let i = 0; i < plan.shortStreams; i++) {
    const short = new OpenStream(port);
    await short.makeCalls(plan.callsPerShortStream);
    replyDelaysBefore.push(await short.halfClose());
  }

  const stream = new OpenStream(port);
  await stream.makeCalls(plan.warmUpCalls);
  const heap = [{ calls: 0, bytes: await frontend.ask('heap') }];
  let growth = 0;
  for (let batch = 1; batch <= plan.batches && growth < plan.maxGrowth; batch++) {
    await stream.makeCalls(plan.callsPerBatch);
    const bytes = await frontend.ask('heap');
    heap.push({ calls: batch * plan.callsPerBatch, bytes });
    growth = bytes - heap[0]!.bytes;
  }
  const replyDelayAfter = await stream.halfClose();
  return { heap, replyDelaysBefore, replyDelayAfter, warnings: await frontend.ask('warnings') };
}

/** What a finished nested call leaves behind, in bytes; less than nothing where the heap has shrunk. */
export function bytesPerCall(heap: readonly HeapReading[]): number {
  const first = heap[0]!;
  const last = heap.at(-1)!;
  return (last.bytes - first.bytes) / (last.calls - first.calls);
}
