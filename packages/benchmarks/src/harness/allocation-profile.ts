import { type HeapProfiler, Session } from 'node:inspector/promises';
import { FunctionSums, type ProfiledFunction } from './profiled-function.js';

/** What one function has allocated on the heap, that of what it called left out. */
export interface FunctionBytes extends ProfiledFunction {
  readonly bytes: number;
}

/** In bytes between two samples, on the average. */
const SAMPLING_INTERVAL = 1024;

let session: Session | undefined;

/** Has V8 sample what this process allocates, garbage or not. */
export async function startAllocationProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: SAMPLING_INTERVAL,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
}

/** Ends it; what allocated most comes first. */
export async function stopAllocationProfile(): Promise<FunctionBytes[]> {
  const { profile } = await session!.post('HeapProfiler.stopSampling');
  session!.disconnect();
  const sums = new FunctionSums();
  addTo(sums, profile.head);
  return sums.sorted().map(({ sum, ...of }) => ({ ...of, bytes: sum }));
}

function addTo(sums: FunctionSums, { callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): void {
  sums.add(callFrame, selfSize);
  for (const child of children) {
    addTo(sums, child);
  }
}
