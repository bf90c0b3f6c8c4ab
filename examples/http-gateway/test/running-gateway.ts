import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Reports } from './reports.js';

/** The gateway and its services, as `npm run gateway` starts them. */
export interface RunningGateway extends AsyncDisposable {
  readonly url: string;
  readonly reports: Reports;
}

export async function startGateway(): Promise<RunningGateway> {
  const child = spawnGateway('--port', '0');
  const url = await urlFrom(child);
  const reports = await Reports.from(url);
  return {
    url,
    reports,
    async [Symbol.asyncDispose]() {
      reports.close();
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** For command lines that it refuses. */
export async function runGateway(...args: string[]): Promise<{ code: number; stderr: string }> {
  const child = spawnGateway(...args);
  const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
  return { code, stderr };
}

function spawnGateway(...args: string[]): ChildProcess {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  return spawn(process.execPath, [main, ...args], {
    env: { ...process.env, NODE_OPTIONS: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function urlFrom(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`The gateway did not start: ${said}`)));
  ended.catch(() => {});
  const [line] = await Promise.race([once(child.stdout!, 'data'), ended]);
  return /http:\/\/\S+/.exec(String(line))![0];
}
