import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Answer, Operations, Question } from './serve-parent.js';

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** CPU time of a process since it started, all its threads, in microseconds. */
export type CpuMicroseconds = number;

/**
 * A process of its own that answers questions: one service of a measurement. What it writes to stderr is shown; its
 * end before {@link close} fails whatever is waited for.
 */
export class WorkerProcess<Offered extends Operations<Offered>> {
  private readonly waiting = new Map<number, Waiter>();
  private asked = 0;
  private exit: Error | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
  ) {
    child.on('message', (answer: Answer) => this.settle(answer));
    child.on('exit', (code, signal) => this.failAll(new Error(`${name} exited (${signal ?? code})`)));
  }

  /** Starts `module`, an URL of a file that calls `serveParent()`, and waits until it does. */
  static async start<Offered extends Operations<Offered>>(
    module: URL,
    { args = [], node = process.execPath, nodeArgs = [] }: { args?: string[]; node?: string; nodeArgs?: string[] } = {},
  ): Promise<WorkerProcess<Offered>> {
    const child = fork(module, args, {
      execPath: node,
      execArgv: nodeArgs,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const name = [module.pathname.split('/').at(-1), ...args].join(' ');
    const exited = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`${name} exited before it was ready (${signal ?? code})`);
    });
    await Promise.race([once(child, 'message'), exited]);
    exited.catch(() => {});
    return new WorkerProcess(child, name);
  }

  /** Calls an operation of the process. Rejects with its error's text. */
  ask<Name extends keyof Offered & string>(
    name: Name,
    ...args: Parameters<Offered[Name]>
  ): Promise<Awaited<ReturnType<Offered[Name]>>> {
    return new Promise((resolve, reject) => {
      if (this.exit !== undefined) {
        reject(this.exit);
        return;
      }
      const id = this.asked++;
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, name, args } satisfies Question);
    });
  }

  async close(): Promise<void> {
    if (this.exit === undefined) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exited;
    }
  }

  private settle({ id, value, error }: Answer): void {
    const waiter = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) {
      waiter?.resolve(value as never);
    } else {
      waiter?.reject(new Error(`${this.name}: ${error}`));
    }
  }

  private failAll(error: Error): void {
    this.exit = error;
    for (const { reject } of this.waiting.values()) {
      reject(error);
    }
    this.waiting.clear();
  }
}
