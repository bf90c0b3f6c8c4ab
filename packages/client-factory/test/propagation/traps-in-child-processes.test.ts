import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

// Traps that take the process down, or need a heap of their own. What grpc-js alone does stands beside what we do.

interface Result {
  exitCode: number;
  output: Record<string, unknown>;
  stderr: string;
}

/** Runs a fixture; its last line on standard output is JSON. */
function run(fixture: string, ...args: string[]): Promise<Result> {
  const path = fileURLToPath(new URL(`./fixtures/${fixture}.js`, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, ['--expose-gc', path, ...args], (error, stdout, stderr) => {
      const lastLine = stdout.trim().split('\n').at(-1)!;
      const exitCode = error === null ? 0 : Number(error.code ?? 1);
      resolve({ exitCode, output: lastLine === '' ? {} : JSON.parse(lastLine), stderr });
    });
  });
}

describe('a hundred thousand children under one open stream', () => {
  test('leave nothing behind, and no warning', async () => {
    const { output } = await run('children-under-one-stream', 'ours', '100000');
    // Below a byte per child is the noise of the collector; `parent` keeps thousands.
    expect(output.bytesPerChild).toBeLessThan(10);
    expect(output.warnings).toEqual([]);
  }, 120_000);

  test('leave kilobytes each behind with grpc-js’s parent option', async () => {
    const { output } = await run('children-under-one-stream', 'parent', '2000');
    expect(output.bytesPerChild).toBeGreaterThan(1_000);
    expect(output.warnings).toContain('MaxListenersExceededWarning');
  }, 60_000);
});

describe('the context that a connection was opened in', () => {
  test('is let go', async () => {
    expect((await run('connection-opener', 'ours')).output).toEqual({ isRetained: false });
  }, 30_000);

  test('is kept by grpc-js alone', async () => {
    expect((await run('connection-opener', 'bare')).output).toEqual({ isRetained: true });
  }, 30_000);
});

test.each(['NaN', 'an invalid Date', '10^9 hours'])(
  'a deadline of %s takes the process down with grpc-js alone',
  async (deadline) => {
    const { exitCode, stderr } = await run('bare-deadline', deadline);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('Deadline is too far in the future');
  },
  30_000,
);

describe('a cancelled stream without an error listener', () => {
  test('crashes nothing, and a loop that begins later throws', async () => {
    const { exitCode, output } = await run('stream-without-listener', 'ours');
    expect(output).toEqual({ loop: 'threw 1' });
    expect(exitCode).toBe(0);
  }, 30_000);

  test('takes the process down with grpc-js alone', async () => {
    const { exitCode, stderr } = await run('stream-without-listener', 'bare');
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("Unhandled 'error' event");
  }, 30_000);
});
