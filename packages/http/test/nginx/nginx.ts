import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** nginx as a child process, with files in a folder of its own. */
export interface RunningNginx extends AsyncDisposable {
  readonly port: number;
}

/** `http` is what stands in the `http` block, for the port that it is given. */
export async function startNginx(program: string, http: (port: number) => string): Promise<RunningNginx> {
  // Another process may take the port before nginx does.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await freePort(), program, http);
    } catch (error) {
      if (attempt === 3) {
        throw error;
      }
    }
  }
}

async function startOn(port: number, program: string, http: (port: number) => string): Promise<RunningNginx> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  await writeFile(join(folder, 'nginx.conf'), configuration(http(port)));
  const child = spawn(program, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  const listening = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      // It says so once it listens.
      if (line.includes('event method')) {
        resolve();
      }
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`nginx did not start: ${said.join('\n')}`)));
  });
  try {
    await listening;
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** One process, which needs no root: all that it writes is in its folder. */
function configuration(http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  return `
    daemon off;
    master_process off;
    pid nginx.pid;
    error_log stderr notice;
    events { worker_connections 256; }
    http {
      access_log off;
      ${temporary.join('\n')}
      ${http}
    }`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
