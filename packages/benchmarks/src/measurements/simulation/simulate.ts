import TinyQueue from 'tinyqueue';

/** A service that works on a request, then calls others, all at once, and answers when they have. */
interface SimulatedService {
  /** How many requests it works on at a time; those that wait are served first come, first served. */
  readonly workers: number;
  /** Indices of the services that it calls. */
  readonly calls: readonly number[];
  /** With propagation: what it wants to have left of the deadline to begin, in milliseconds; 0 for nothing. */
  readonly leastMs: number;
}

export interface SimulatedArrival {
  readonly atMs: number;
  /** Index of the service that the client calls. */
  readonly entry: number;
}

export interface Scenario<Arrival extends SimulatedArrival = SimulatedArrival> {
  readonly services: readonly SimulatedService[];
  /** In the order of time. */
  readonly arrivals: Iterable<Arrival>;
  /** How long a worker of the service is busy with the request. */
  workMs(arrival: Arrival, service: number): number;
  /** Of each attempt; `Infinity` for none. */
  readonly deadlineMs: number;
  readonly attempts: number;
  /** Whether called services know the deadline, and what each call keeps back of it. */
  readonly propagation: false | { readonly marginMs: number };
  /** What is counted. The simulation ends when nothing of it is left, so arrivals should go on after it. */
  readonly window: { readonly fromMs: number; readonly toMs: number };
}

/** Times are sums of those within the window, in milliseconds. */
export interface SimulationOutcome {
  readonly requests: number;
  /** Requests that were answered in time. */
  readonly answered: number;
  /** Workers' time for attempts that were answered in time. */
  readonly usefulMs: number;
  /** Workers' time for all the others. */
  readonly wastedMs: number;
  /** How long jobs that were begun had waited, on average. */
  readonly meanWaitMs: number;
}

/** A discrete-event simulation: from event to event, in simulated time, the same for the same scenario. */
export function simulate<Arrival extends SimulatedArrival>(scenario: Scenario<Arrival>): SimulationOutcome {
  return new Run(scenario).outcome();
}

interface Attempt<Arrival> {
  readonly arrival: Arrival;
  readonly number: number;
  readonly deadlineMs: number;
  over: boolean;
  answered: boolean;
  /** Workers' time within the window. */
  spentMs: number;
}

/** A call of a service within an attempt. */
interface Job<Arrival> {
  readonly attempt: Attempt<Arrival>;
  readonly service: number;
  readonly caller: Job<Arrival> | undefined;
  /** As far as the service knows. */
  readonly deadlineMs: number;
  readonly cameMs: number;
  begunMs: number;
  /** Calls that it waits for. */
  pending: number;
  /** Who waits behind it. */
  behind: Job<Arrival> | undefined;
}

interface Line<Arrival> {
  free: number;
  first: Job<Arrival> | undefined;
  last: Job<Arrival> | undefined;
}

type Event<Arrival> = { readonly atMs: number; readonly order: number } & (
  | { readonly kind: 'arrival'; readonly of: Arrival }
  | { readonly kind: 'worked' | 'cut'; readonly of: Job<Arrival> }
  | { readonly kind: 'deadline'; readonly of: Attempt<Arrival> }
);

class Run<Arrival extends SimulatedArrival> {
  private readonly events = new TinyQueue<Event<Arrival>>([], (a, b) => a.atMs - b.atMs || a.order - b.order);
  private readonly lines: Line<Arrival>[];
  private readonly tried: Attempt<Arrival>[] = [];
  private now = 0;
  private order = 0;
  private requests = 0;
  private answered = 0;
  private waited = { jobs: 0, ms: 0 };

  constructor(private readonly scenario: Scenario<Arrival>) {
    this.lines = scenario.services.map(({ workers }) => ({ free: workers, first: undefined, last: undefined }));
  }

  outcome(): SimulationOutcome {
    const { deadlineMs, attempts, window } = this.scenario;
    const patienceMs = Number.isFinite(deadlineMs) ? deadlineMs * attempts : 0;
    const arrivals = this.scenario.arrivals[Symbol.iterator]();
    this.expect(arrivals.next());
    for (let event = this.events.pop(); event !== undefined; event = this.events.pop()) {
      if (event.atMs > window.toMs + patienceMs) {
        break;
      }
      this.now = event.atMs;
      if (event.kind === 'arrival') {
        this.expect(arrivals.next());
      }
      this.happen(event);
    }
    const spent = (answered: boolean) =>
      this.tried.reduce((sum, attempt) => sum + (attempt.answered === answered ? attempt.spentMs : 0), 0);
    return {
      requests: this.requests,
      answered: this.answered,
      usefulMs: spent(true),
      wastedMs: spent(false),
      meanWaitMs: this.waited.ms / this.waited.jobs,
    };
  }

  private expect(next: IteratorResult<Arrival>): void {
    if (!next.done) {
      this.events.push({ atMs: next.value.atMs, order: this.order++, kind: 'arrival', of: next.value });
    }
  }

  private happen(event: Event<Arrival>): void {
    switch (event.kind) {
      case 'arrival':
        this.requests += this.inWindow() ? 1 : 0;
        this.try(event.of, 1);
        break;
      case 'deadline':
        this.fail(event.of);
        break;
      case 'worked':
        this.leave(event.of);
        this.callOthers(event.of);
        break;
      case 'cut':
        this.leave(event.of);
        break;
    }
  }

  private try(arrival: Arrival, number: number): void {
    const deadlineMs = this.now + this.scenario.deadlineMs;
    const attempt = { arrival, number, deadlineMs, over: false, answered: false, spentMs: 0 };
    this.tried.push(attempt);
    if (Number.isFinite(deadlineMs)) {
      this.events.push({ atMs: deadlineMs, order: this.order++, kind: 'deadline', of: attempt });
    }
    this.call(attempt, arrival.entry, undefined, this.scenario.propagation ? deadlineMs : Infinity);
  }

  /** The client has given up, or a service has for it: it tries again. */
  private fail(attempt: Attempt<Arrival>): void {
    if (!attempt.over) {
      attempt.over = true;
      if (attempt.number < this.scenario.attempts) {
        this.try(attempt.arrival, attempt.number + 1);
      }
    }
  }

  private call(attempt: Attempt<Arrival>, service: number, caller: Job<Arrival> | undefined, deadlineMs: number): void {
    const cameMs = this.now;
    const job = { attempt, service, caller, deadlineMs, cameMs, begunMs: 0, pending: 0, behind: undefined };
    const line = this.lines[service]!;
    if (line.free > 0) {
      this.begin(job, line);
    } else if (line.last === undefined) {
      line.first = job;
      line.last = job;
    } else {
      line.last.behind = job;
      line.last = job;
    }
  }

  private begin(job: Job<Arrival>, line: Line<Arrival>): void {
    if (job.deadlineMs - this.now < this.scenario.services[job.service]!.leastMs) {
      this.fail(job.attempt);
      return;
    }
    line.free--;
    job.begunMs = this.now;
    if (this.inWindow()) {
      this.waited.jobs++;
      this.waited.ms += this.now - job.cameMs;
    }
    const workedMs = this.now + this.scenario.workMs(job.attempt.arrival, job.service);
    const inTime = workedMs <= job.deadlineMs;
    const atMs = inTime ? workedMs : job.deadlineMs;
    this.events.push({ atMs, order: this.order++, kind: inTime ? 'worked' : 'cut', of: job });
  }

  /** Frees the worker, for the first of those that wait and have not been cancelled. */
  private leave(job: Job<Arrival>): void {
    const { fromMs, toMs } = this.scenario.window;
    job.attempt.spentMs += Math.max(0, Math.min(this.now, toMs) - Math.max(job.begunMs, fromMs));
    const line = this.lines[job.service]!;
    line.free++;
    while (line.free > 0 && line.first !== undefined) {
      const next = line.first;
      line.first = next.behind;
      if (line.first === undefined) {
        line.last = undefined;
      }
      if (next.deadlineMs > this.now) {
        this.begin(next, line);
      }
    }
  }

  private callOthers(job: Job<Arrival>): void {
    const { calls } = this.scenario.services[job.service]!;
    const { propagation } = this.scenario;
    job.pending = calls.length;
    if (calls.length === 0) {
      this.answer(job);
    }
    for (const service of calls) {
      this.call(job.attempt, service, job, propagation ? job.deadlineMs - propagation.marginMs : Infinity);
    }
  }

  private answer({ attempt, caller }: Job<Arrival>): void {
    if (caller !== undefined) {
      caller.pending--;
      if (caller.pending === 0) {
        this.answer(caller);
      }
    } else if (!attempt.over) {
      attempt.over = true;
      attempt.answered = true;
      this.answered += this.inWindow() ? 1 : 0;
    }
  }

  private inWindow(): boolean {
    const { fromMs, toMs } = this.scenario.window;
    return this.now >= fromMs && this.now < toMs;
  }
}
