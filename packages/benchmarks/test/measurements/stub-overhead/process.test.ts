import { afterEach, expect, test } from '@jest/globals';
import { WorkerProcess } from '../../../dist/harness/worker-process.js';
import { kinds } from '../../../dist/measurements/stub-overhead/handlers.js';
import type { StubProcess } from '../../../dist/measurements/stub-overhead/process.js';
import type { VariantName } from '../../../dist/measurements/stub-overhead/variants.js';

const program = new URL('../../../dist/measurements/stub-overhead/process.js', import.meta.url);

let started: WorkerProcess<StubProcess>[] = [];

afterEach(async () => {
  await Promise.all(started.map((process) => process.close()));
  started = [];
});

// A batch resolves once every served call was answered with what its child call returned, and throws where one was not.
test.each(kinds)(
  'served calls are answered over stubs with a child call of the kind: %s',
  async (kind) => {
    const names: readonly VariantName[] = ['grpc-js', 'grpc-js, promises', 'grpc-di', 'grpc-di, promises'];
    started = await Promise.all(
      names.map((name) => WorkerProcess.start<StubProcess>(program, { args: [name, kind], nodeArgs: ['--expose-gc'] })),
    );

    const batches = await Promise.all(started.map((process) => process.ask('batch', 60)));

    for (const { nanoseconds } of batches) {
      expect(nanoseconds).toBeGreaterThan(0);
    }
  },
  30_000,
);
