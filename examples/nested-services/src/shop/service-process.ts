import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CallEvent } from '../tracing/call-event.js';

type Message = CallEvent | { kind: 'listening'; address: string };

/** One service in an operating system process of its own. */
export class ServiceProcess {
  /** Where it listens. Rejects when the process ends before it does. */
  readonly address: Promise<string>;
  /** Rejects when the process ends although nobody stopped it. */
  readonly failure: Promise<never>;

  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private stopping = false;

  constructor(
    private readonly name: 'frontend' | 'users' | 'orders',
    env: NodeJS.ProcessEnv,
    private readonly onCallEvent: (event: CallEvent) => void,
  ) {
    this.child = fork(new URL(`../${name}/main.js`, import.meta.url), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      // JSON would turn "no deadline", which is Infinity, into null.
      serialization: 'advanced',
    });
    this.exited = once(this.child, 'exit');
    this.failure = this.rejectWhenItEnds();
    this.failure.catch(() => {});
    this.address = Promise.race([this.listening(), this.failure]);
    this.address.catch(() => {});
    createInterface({ input: this.child.stderr! }).on('line', (line) => console.error(`${name}: ${line}`));
  }

  /** The service ends when its channel to this process does, just as it would if this process crashed. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.child.connected) {
      this.child.disconnect();
    }
    // Not 'close': Node does not emit it after a disconnect from this side.
    await this.exited;
  }

  private listening(): Promise<string> {
    return new Promise((resolve) => {
      this.child.on('message', (message: Message) => {
        if (message.kind === 'listening') {
          resolve(message.address);
        } else {
          this.onCallEvent(message);
        }
      });
    });
  }

  private rejectWhenItEnds(): Promise<never> {
    return new Promise((_, reject) => {
      this.child.once('error', reject);
      // Not at 'exit': only now everything that it had to say is out.
      this.child.once('close', (code, signal) => {
        if (!this.stopping) {
          reject(
            new Error(`The ${this.name} service ended with ${signal ?? `exit code ${code}`}; its stderr is above.`),
          );
        }
      });
    });
  }
}
