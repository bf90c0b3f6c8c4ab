import { type Profiler, Session } from 'node:inspector/promises';
import { FunctionSums, type ProfiledFunction } from './profiled-function.js';

/** CPU time in one function, that of what it called left out. */
export interface FunctionTime extends ProfiledFunction {
  readonly microseconds: number;
}

/** In microseconds: fine enough for calls of some 100 microseconds, at some percent of overhead. */
const SAMPLING_INTERVAL = 200;

let session: Session | undefined;

/** Has V8's sampling profiler watch this process. */
export async function startProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL });
  await session.post('Profiler.start');
}

/** Ends it; what took most time comes first. */
export async function stopProfile(): Promise<FunctionTime[]> {
  const { profile } = await session!.post('Profiler.stop');
  session!.disconnect();
  return selfTimes(profile);
}

function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): FunctionTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const sums = new FunctionSums();
  samples.forEach((id, index) => {
    sums.add(frames.get(id)!, timeDeltas[index]!);
  });
  return sums.sorted().map(({ sum, ...of }) => ({ ...of, microseconds: sum }));
}
