import type { ContestantName } from '../contestants/contestants.js';
import type { FrontendProcess } from '../processes/frontend.js';
import type { LoadClientProcess } from '../processes/load-client.js';
import type { UsersProcess } from '../processes/users.js';
import { type CpuMicroseconds, WorkerProcess } from './worker-process.js';

/** A caller, contestants' frontends and the users service, each in a process of its own. */
export class Services<Name extends string> {
  private constructor(
    readonly caller: WorkerProcess<LoadClientProcess>,
    readonly users: WorkerProcess<UsersProcess>,
    private readonly frontends: ReadonlyMap<Name, RunningFrontend>,
  ) {}

  /** @param seats whose frontend each is: a contestant may have two, to be measured against itself. */
  static async start<Name extends string>(
    seats: Readonly<Record<Name, ContestantName>>,
    node?: string,
  ): Promise<Services<Name>> {
    const users = await WorkerProcess.start<UsersProcess>(processFile('users'), { node });
    const upstream = `127.0.0.1:${await users.ask('port')}`;
    const frontends = new Map<Name, RunningFrontend>();
    for (const [name, contestant] of Object.entries(seats) as [Name, ContestantName][]) {
      const process = await startFrontend(contestant, upstream, node);
      frontends.set(name, { process, port: await process.ask('port') });
    }
    const caller = await WorkerProcess.start<LoadClientProcess>(processFile('load-client'), { node });
    return new Services(caller, users, frontends);
  }

  frontend(name: Name): RunningFrontend {
    return this.frontends.get(name)!;
  }

  /** Of the frontend, and of all three processes that a call of it goes through. */
  async cpu(name: Name): Promise<{ frontend: CpuMicroseconds; all: CpuMicroseconds }> {
    const [frontend, caller, users] = await Promise.all([
      this.frontend(name).process.ask('cpu'),
      this.caller.ask('cpu'),
      this.users.ask('cpu'),
    ]);
    return { frontend, all: frontend + caller + users };
  }

  async close(): Promise<void> {
    const processes = [this.caller, ...[...this.frontends.values()].map(({ process }) => process), this.users];
    await Promise.all(processes.map((process) => process.close()));
  }
}

export interface RunningFrontend {
  readonly process: WorkerProcess<FrontendProcess>;
  readonly port: number;
}

export function startFrontend(
  contestant: ContestantName,
  upstream: string,
  node?: string,
): Promise<WorkerProcess<FrontendProcess>> {
  return WorkerProcess.start<FrontendProcess>(processFile('frontend'), {
    args: [contestant, upstream],
    node,
    nodeArgs: ['--expose-gc'],
  });
}

export function processFile(name: 'users' | 'frontend' | 'load-client'): URL {
  return new URL(`../processes/${name}.js`, import.meta.url);
}
