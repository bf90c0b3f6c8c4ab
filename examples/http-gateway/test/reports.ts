import { EventEmitter, once } from 'node:events';
import type { CallEnded, CallEvent, CallStarted } from '../dist/calls/call-event.js';

export type ReportedCall = CallStarted & { end?: CallEnded };

/** What the services report of their calls, from the stream that the page reads too. */
export class Reports {
  private readonly calls = new Map<string, ReportedCall>();
  private readonly ends = new Map<string, CallEnded>();
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly controller = new AbortController();

  static async from(url: string): Promise<Reports> {
    const reports = new Reports();
    const { body } = await fetch(`${url}/api/calls`, { signal: reports.controller.signal });
    reports.read(body!.pipeThrough(new TextDecoderStream())).catch(() => {});
    return reports;
  }

  /** The calls of a request, itself included, as soon as the condition holds. */
  async until(requestId: string, condition: (calls: ReportedCall[]) => boolean): Promise<ReportedCall[]> {
    while (!condition(this.below(requestId))) {
      await once(this.changes, 'change');
    }
    return this.below(requestId);
  }

  /** A request whose calls have all come to their end, which the request itself need not be the last to do. */
  untilOver(requestId: string): Promise<ReportedCall[]> {
    return this.until(requestId, (calls) => calls.length > 0 && calls.every(({ end }) => end !== undefined));
  }

  /** The slowest call of the deepest service has begun. */
  untilDeepest(requestId: string): Promise<ReportedCall[]> {
    return this.until(requestId, (calls) => deepest(calls) !== undefined);
  }

  close(): void {
    this.controller.abort();
  }

  private below(id: string): ReportedCall[] {
    const call = this.calls.get(id);
    if (call === undefined) {
      return [];
    }
    const children = [...this.calls.values()].filter(({ caller }) => caller === id);
    return [{ ...call, end: this.ends.get(id) }, ...children.flatMap((child) => this.below(child.id))];
  }

  private async read(stream: AsyncIterable<string>): Promise<void> {
    let pending = '';
    for await (const chunk of stream) {
      const messages = (pending + chunk).split('\n\n');
      pending = messages.pop()!;
      for (const message of messages.filter((text) => text.startsWith('data: '))) {
        this.add(JSON.parse(message.slice('data: '.length)));
      }
      this.changes.emit('change');
    }
  }

  private add(event: CallEvent): void {
    if (event.kind === 'started') {
      this.calls.set(event.id, event);
    } else {
      this.ends.set(event.id, event);
    }
  }
}

/** 1700 ms of work: nothing but its end in time lets it end earlier. */
export function deepest(calls: ReportedCall[]): ReportedCall | undefined {
  return calls.find(({ service, subject }) => service === 'rates' && subject === 'USD');
}

export function outcomes(calls: ReportedCall[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { end } of calls) {
    const outcome = end?.outcome ?? 'running';
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}
