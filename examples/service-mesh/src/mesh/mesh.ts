import { randomBytes } from 'node:crypto';
import { EventEmitter, on } from 'node:events';
import { ServiceProcess } from './service-process.js';

const PATIENCE_MS = 15_000;

/** Two instances in Europe, one in the US, one of a tenant, and the checkout that calls them. */
export class Mesh {
  private readonly processes = new Map<string, ServiceProcess>();
  private readonly env = { TOKEN_SECRET: randomBytes(16).toString('hex') };

  private readonly output = new EventEmitter();

  constructor(onLine: (line: string) => void) {
    this.output.on('line', onLine);
  }

  /** @returns where checkout listens. */
  async open(): Promise<string> {
    const [eu1, eu2, us, acme] = await Promise.all(
      ['eu-1', 'eu-2', 'us', 'acme'].map((name) => this.start('stock', name, {})),
    );
    return this.start('checkout', 'checkout', {
      EUROPE: `ipv4:${eu1},${eu2}`,
      US: us,
      TENANTS: JSON.stringify({ acme }),
    });
  }

  /** @returns the exit code. */
  end(name: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const process = this.processes.get(name)!;
    this.processes.delete(name);
    return process.end(signal);
  }

  /** @returns the exit codes of those that still run. */
  endAll(signal: 'SIGKILL' | 'SIGTERM'): Promise<Array<number | null>> {
    return Promise.all([...this.processes.keys()].map((name) => this.end(name, signal)));
  }

  /** Resolves when `count` lines from now on have had these words. */
  async said(words: string, count: number): Promise<void> {
    let seen = 0;
    for await (const [line] of on(this.output, 'line', { signal: AbortSignal.timeout(PATIENCE_MS) })) {
      if (String(line).includes(words) && ++seen === count) {
        return;
      }
    }
  }

  private start(service: 'checkout' | 'stock', name: string, env: NodeJS.ProcessEnv): Promise<string> {
    const process = new ServiceProcess(service, name, { ...this.env, ...env }, (line) =>
      this.output.emit('line', line),
    );
    this.processes.set(name, process);
    return process.address;
  }
}
