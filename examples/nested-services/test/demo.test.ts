import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';

// It plays for 6 s on an idle machine.
jest.setTimeout(60_000);

const names = ['in-time', 'client-deadline', 'own-deadline', 'walk-away', 'fan-out', 'no-propagation'];

interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function run(...args: string[]): Promise<Result> {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_OPTIONS: undefined };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

describe('all scenarios', () => {
  let result: Result;
  let sections: Map<string, string[]>;

  beforeAll(async () => {
    result = await run();
    sections = new Map(
      result.stdout.split('\n\n').map((section) => [section.split(':', 1)[0]!, section.trimEnd().split('\n')]),
    );
  });

  /** The outcomes of a scenario's calls, by service; those of its second waterfall apart. */
  function outcomes(name: string): Array<[service: string, outcome: string]> {
    const rows = sections.get(name)!.map((line) => /^ *(\w+) .*\d ms {2}([A-Z_]+)$/.exec(line));
    return rows.filter((row) => row !== null).map(([, service, outcome]) => [service!, outcome!]);
  }

  function sentence(name: string): string {
    const lines = sections.get(name)!;
    return lines.slice(lines.findLastIndex((line) => / ms {2}[A-Z_]+$/.test(line)) + 1).join(' ');
  }

  test('behave as they are named', () => {
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).not.toMatch(/NOT SO/);
    expect([...sections.keys()]).toEqual(expect.arrayContaining(names));
  });

  test('can be read without colour and in 80 columns', () => {
    expect(result.stdout).not.toContain(String.fromCharCode(27));
    expect(Math.max(...result.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('in time: every call is OK', () => {
    expect(outcomes('in-time')).toEqual(['client', 'frontend', 'users', 'orders'].map((name) => [name, 'OK']));
  });

  test("the client's deadline: ends every call, and is marked on every bar", () => {
    const calls = ['client', 'frontend', 'users', 'orders'];
    expect(outcomes('client-deadline')).toEqual(calls.map((name) => [name, 'DEADLINE_EXCEEDED']));
    expect(sections.get('client-deadline')!.filter((line) => line.includes('|'))).toHaveLength(4);
  });

  test('an own deadline: ends that call alone', () => {
    expect(outcomes('own-deadline')).toEqual([
      ['client', 'OK'],
      ['frontend', 'OK'],
      ['users', 'OK'],
      ['orders', 'DEADLINE_EXCEEDED'],
    ]);
  });

  test('walking away: cancels every level', () => {
    const calls = ['client', 'frontend', 'users', 'orders'];
    expect(outcomes('walk-away')).toEqual(calls.map((name) => [name, 'CANCELLED']));
  });

  test('a fan-out: shows ten children, all cancelled', () => {
    const calls = ['client', 'frontend', ...Array.from({ length: 10 }, () => 'orders')];
    expect(outcomes('fan-out')).toEqual(calls.map((name) => [name, 'CANCELLED']));
  });

  test('without propagation: the same overrun goes on to the end, and it says for how long', () => {
    expect(outcomes('no-propagation')).toEqual([
      ['client', 'DEADLINE_EXCEEDED'],
      ['frontend', 'DEADLINE_EXCEEDED'],
      ['users', 'DEADLINE_EXCEEDED'],
      ['orders', 'DEADLINE_EXCEEDED'],
      ['client', 'DEADLINE_EXCEEDED'],
      ['frontend', 'DEADLINE_EXCEEDED'],
      ['users', 'OK'],
      ['orders', 'OK'],
    ]);
    // The client gives up after 500 ms of 1200: a good 700 are left. Timers are never early, but clocks round.
    const [, wasted] = /did (\d+) ms of work that nobody waited for/.exec(sentence('no-propagation'))!;
    expect(Number(wasted)).toBeGreaterThan(600);
  });
});

test('one scenario can be asked for', async () => {
  const { code, stdout } = await run('fan-out', '--no-color');
  expect(code).toBe(0);
  expect(names.filter((name) => stdout.includes(`${name}: `))).toEqual(['fan-out']);
});

test('--help names every scenario and starts nothing', async () => {
  const { code, stdout } = await run('--help');
  expect(code).toBe(0);
  for (const name of names) {
    expect(stdout).toContain(`  ${name} `);
  }
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test.each([['no-such-scenario'], ['--no-such-option']])('%s is an error that says what there is', async (wrong) => {
  const { code, stdout, stderr } = await run(wrong);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`'${wrong}'`);
  expect(stderr).toContain(wrong.startsWith('--') ? '--no-color' : 'in-time, client-deadline');
});
