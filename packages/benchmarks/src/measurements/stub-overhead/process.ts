import { Metadata } from '@grpc/grpc-js';
import { KindsService, Response } from '../../generated/stubs/v1/stubs.js';
import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';
import type { Kind } from './handlers.js';
import { answerAll, stubChannels } from './stub-channel.js';
import { serve } from './stub-server-call.js';
import { type VariantName, variants } from './variants.js';

/** One variant and one kind of call, in a process that has nothing else: `process.js <variant> <kind>`. */
export interface StubProcess extends ProcessOperations {
  /** Serves so many calls, one child call each; the nanoseconds and the heap bytes that one of them took. */
  batch(calls: number): Promise<Batch>;
}

export interface Batch {
  readonly nanoseconds: number;
  /** Allocated, garbage or not; nothing is collected meanwhile. */
  readonly bytes: number;
}

/** Child calls that run at a time. */
const IN_FLIGHT = 50;

const [name, kind] = process.argv.slice(2) as [VariantName, Kind];
stubChannels(Buffer.from(Response.encode({ id: 'ada', name: 'Ada Lovelace' }).finish()));
const { interceptor, handle } = variants[name](kind);
const requestMetadata = new Metadata();
const deadline = Date.now() + 3_600_000;

serveParent<StubProcess>({ batch });

async function batch(calls: number): Promise<Batch> {
  globalThis.gc!({ type: 'minor', execution: 'sync' } as never);
  const bytesBefore = process.memoryUsage().heapUsed;
  const before = process.hrtime.bigint();
  for (let started = 0; started < calls; started += IN_FLIGHT) {
    await served(Math.min(IN_FLIGHT, calls - started));
  }
  const nanoseconds = Number(process.hrtime.bigint() - before) / calls;
  return { nanoseconds, bytes: (process.memoryUsage().heapUsed - bytesBefore) / calls };
}

function served(calls: number): Promise<void> {
  return new Promise((resolve) => {
    let answered = 0;
    const counted: typeof handle = (until, respond) =>
      handle(until, (response) => {
        respond(response);
        if (++answered === calls) {
          resolve();
        }
      });
    for (let started = 0; started < calls; started++) {
      serve(interceptor, KindsService.unary as never, deadline, requestMetadata, counted);
    }
    answerAll();
  });
}
