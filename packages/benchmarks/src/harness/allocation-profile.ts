import { type HeapProfiler, Session } from 'node:inspector/promises';

/** What one function has allocated on the heap, that of what it called left out. */
export interface FunctionBytes {
  readonly function: string;
  /** A `file:` URL, `node:` name, or empty for V8's own work. */
  readonly url: string;
  readonly line: number;
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
  const bytes = new Map<string, { -readonly [Key in keyof FunctionBytes]: FunctionBytes[Key] }>();
  addTo(bytes, profile.head);
  return [...bytes.values()].sort((a, b) => b.bytes - a.bytes);
}

function addTo(
  bytes: Map<string, { -readonly [Key in keyof FunctionBytes]: FunctionBytes[Key] }>,
  { callFrame: { functionName, url, lineNumber }, selfSize, children }: HeapProfiler.SamplingHeapProfileNode,
): void {
  const key = `${functionName} ${url} ${lineNumber}`;
  const earlier = bytes.get(key);
  if (earlier === undefined) {
    bytes.set(key, { function: functionName, url, line: lineNumber + 1, bytes: selfSize });
  } else {
    earlier.bytes += selfSize;
  }
  for (const child of children) {
    addTo(bytes, child);
  }
}
