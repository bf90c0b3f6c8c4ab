import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** One instance of a service in an operating system process of its own. What it writes goes to `onLine`. */
export class ServiceProcess {
  /** Where it listens. Rejects when the process ends before it does. */
  readonly address: Promise<string>;

  private readonly child: ChildProcess;
  /** Once everything that it had to say is out. */
  private readonly closed: Promise<unknown[]>;

  constructor(
    service: 'checkout' | 'stock',
    readonly name: string,
    env: NodeJS.ProcessEnv,
    onLine: (line: string) => void,
  ) {
    this.child = fork(new URL(`../${service}/main.js`, import.meta.url), {
      env: { ...process.env, ...env, INSTANCE: name },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.closed = once(this.child, 'close');
    this.address = this.listening();
    this.address.catch(() => {});
    for (const output of [this.child.stdout, this.child.stderr] as Readable[]) {
      createInterface({ input: output }).on('line', (line) => onLine(`${name.padEnd(9)} ${line}`));
    }
  }

  /** Resolves to the exit code; `null` after a signal that it did not live to handle. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    const [code] = await this.closed;
    return code as number | null;
  }

  private async listening(): Promise<string> {
    const first = await Promise.race([once(this.child, 'message'), this.closed.then(() => undefined)]);
    if (first === undefined) {
      throw new Error(`${this.name} ended before it listened; what it wrote is above.`);
    }
    return first[0] as string;
  }
}
