import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';

// What ends a process, and what needs a heap of its own.

interface Result {
  readonly exitCode: number;
  /** What the last line of standard output says, which is JSON. */
  readonly output: Record<string, unknown>;
  readonly stderr: string;
}

function run(fixture: string, ...args: string[]): Promise<Result> {
  const path = fileURLToPath(new URL(`./fixtures/${fixture}.js`, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, ['--expose-gc', path, ...args], (error, stdout, stderr) => {
      const lastLine = stdout.trim().split('\n').at(-1)!;
      resolve({
        exitCode: error === null ? 0 : Number(error.code ?? 1),
        output: lastLine === '' ? {} : JSON.parse(lastLine),
        stderr,
      });
    });
  });
}

describe('a failed call is an unhandled rejection', () => {
  let counted: Result;

  beforeAll(async () => {
    counted = await run('unhandled-rejections', 'count');
  }, 30_000);

  /** Where nobody looked at the call, or whoever looked threw the failure on. */
  const UNHANDLED = [
    'unary: nobody looks',
    'unary: nobody looks at a refused one',
    'unary: nobody looks at one that fails by its deadline',
    'unary: nobody looks at one with a signal that does not abort',
    'unary: then() without catch()',
    'clientStream: nobody looks',
    'clientStream: nobody looks at a refused one',
    'clientStream: nobody looks at one that fails by its deadline',
    'clientStream: nobody looks at one with a signal that does not abort',
    'clientStream: nobody looks at one whose iterable throws',
    'clientStream: then() without catch()',
    'clientStream: send() that nobody waits for, and nobody looks at the call',
  ];

  test.each(UNHANDLED)('%s', (name) => {
    expect(counted.output[name]).toBe(1);
  });

  test('and in no other case', () => {
    const { output } = counted;
    const others = Object.keys(output).filter((name) => !UNHANDLED.includes(name));
    expect(others.length).toBeGreaterThan(30);
    expect(Object.fromEntries(others.map((name) => [name, output[name]]))).toEqual(
      Object.fromEntries(others.map((name) => [name, 0])),
    );
    expect(counted.exitCode).toBe(0);
  });

  test.each(['unary: nobody looks', 'clientStream: nobody looks'])(
    'that ends the process with the stack of the caller: %s',
    async (name) => {
      const { exitCode, stderr } = await run('unhandled-rejections', 'exit', name);

      expect(exitCode).toBe(1);
      expect(stderr).toContain('10 ABORTED: told to');
      expect(stderr).toContain('unhandled-rejections.');
    },
    30_000,
  );

  test('the others end no process', async () => {
    const others = Object.keys(counted.output).filter((name) => !UNHANDLED.includes(name));

    expect(await run('unhandled-rejections', 'exit', ...others)).toMatchObject({ exitCode: 0, stderr: '' });
  }, 30_000);
});

describe('nothing is left on the heap', () => {
  // The limits are the collector's noise, a few hundred KB in all, up to 1.5 MB of streams on Node 24: one small object
  // kept per call would be more, and a stream that is kept is some 10 KB.
  test.each([
    ['unary', 20_000, 25],
    ['unary with everything', 2_000, 300],
    ['failing unary', 2_000, 300],
    ['refused unary', 10_000, 50],
    // Node's server takes no more than a thousand cancelled calls in a burst.
    ['serverStream left early', 400, 4_000],
    ['requests of one call', 5_000, 100],
  ])(
    '%s, %i times',
    async (subject, count, limit) => {
      const { output, exitCode, stderr } = await run('heap-growth', subject, String(count));

      expect([exitCode, stderr]).toEqual([0, '']);
      expect(output.bytes).toBeLessThan(limit);
      expect(output.warnings).toEqual([]);
    },
    60_000,
  );
});
