import { EventEmitter, once } from 'node:events';
import type { CallEnded, CallEvent, CallStarted } from './call-event.js';

/** One call as it was seen where it was served; the first of a trace as its client saw it. Times are epoch ms. */
export interface TracedCall {
  readonly service: string;
  readonly method: string;
  /** 0 for the client. */
  readonly depth: number;
  readonly startedAt: number;
  /** `Infinity` when there is none. */
  readonly deadline: number;
  readonly endedAt: number;
  readonly outcome: string;
}

const PATIENCE_MS = 10_000;

/** All calls that one call of the client led to. */
export class Trace {
  private readonly started: CallStarted[] = [];
  private readonly ended = new Map<string, CallEnded>();
  private readonly changes = new EventEmitter();

  constructor(readonly id: string) {}

  add(event: CallEvent): void {
    if (event.kind === 'started') {
      this.started.push(event);
    } else {
      this.ended.set(event.id, event);
    }
    this.changes.emit('change');
  }

  /** Resolves when so many services have started to serve a call. */
  async untilStarted(count: number): Promise<void> {
    await this.until(() => this.started.length > count, `${count} calls to start`);
  }

  async untilEnded(count: number): Promise<void> {
    await this.until(() => this.ended.size > count, `${count} calls to end`);
  }

  /** The client first, then level by level. Complete once all have ended. */
  get calls(): TracedCall[] {
    return this.started
      .map((start) => ({ ...start, ...this.endOf(start), startedAt: start.at, depth: this.depthOf(start) }))
      .sort((a, b) => a.depth - b.depth || a.startedAt - b.startedAt);
  }

  get client(): TracedCall {
    return this.calls[0]!;
  }

  get deepest(): TracedCall {
    return this.calls.at(-1)!;
  }

  call(service: string): TracedCall {
    return this.calls.find((call) => call.service === service)!;
  }

  /** All but the client's. */
  get served(): TracedCall[] {
    return this.calls.slice(1);
  }

  private endOf({ id }: CallStarted): { endedAt: number; outcome: string } {
    const end = this.ended.get(id);
    return { endedAt: end?.at ?? Date.now(), outcome: end?.outcome ?? 'STILL RUNNING' };
  }

  /** Counted afterwards: the processes' events may overtake each other. */
  private depthOf({ caller }: CallStarted): number {
    const parent = this.started.find(({ service }) => service === caller);
    return parent === undefined ? 0 : this.depthOf(parent) + 1;
  }

  private async until(reached: () => boolean, what: string): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!reached()) {
      try {
        await once(this.changes, 'change', { signal });
      } catch {
        throw new Error(`Waited for ${what} for ${PATIENCE_MS / 1000} s, in vain.`);
      }
    }
  }
}

/** How long a call worked on after its client had left, in ms. */
export function overrun(trace: Trace, call: TracedCall): number {
  return Math.max(0, call.endedAt - trace.client.endedAt);
}

export function duration(call: TracedCall): number {
  return call.endedAt - call.startedAt;
}
