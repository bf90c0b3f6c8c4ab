import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Runs a fixture in a process of its own, under OpenTelemetry; returns the JSON that it prints. */
export async function runTraced(fixture: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', new URL('./fixtures/telemetry.js', import.meta.url).href, pathOf(fixture), ...args],
    { env: { ...process.env, ...env }, maxBuffer: 2 ** 25 },
  );
  return JSON.parse(stdout);
}

function pathOf(fixture: string): string {
  return fileURLToPath(new URL(`./fixtures/${fixture}.js`, import.meta.url));
}
