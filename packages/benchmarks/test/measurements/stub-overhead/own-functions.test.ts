import { expect, test } from '@jest/globals';
import { WorkerProcess } from '../../../dist/harness/worker-process.js';
import { ownFunctions, ownFunctionsTable } from '../../../dist/measurements/stub-overhead/own-functions.js';
import type { StubProcess } from '../../../dist/measurements/stub-overhead/process.js';

const program = new URL('../../../dist/measurements/stub-overhead/process.js', import.meta.url);

test("the project's own functions are told with their nanoseconds and bytes per call, and nobody else's", async () => {
  const process = await WorkerProcess.start<StubProcess>(program, {
    args: ['grpc-di, promises', 'unary'],
    nodeArgs: ['--expose-gc'],
  });
  try {
    const functions = await ownFunctions(process, 5, 1_000);

    expect(functions.map(({ file }) => file).join('\n')).toMatch(/client-factory\/dist\/\S+\.js:\d+/);
    expect(functions.every(({ file }) => /^(client-factory|server|call-context)\/dist\//.test(file))).toBe(true);
    const bytes = functions.reduce((sum, one) => sum + one.bytes, 0);
    expect(bytes).toBeGreaterThan(200); // a call has some objects of its own
    expect(bytes).toBeLessThan(50_000);
    expect(functions.some(({ nanoseconds }) => nanoseconds > 0)).toBe(true);
    expect(ownFunctionsTable(functions).rows.at(-1)).toEqual([
      `all ${functions.length}`,
      '',
      expect.stringMatching(/^\d+$/),
      String(bytes),
    ]);
  } finally {
    await process.close();
  }
}, 30_000);
