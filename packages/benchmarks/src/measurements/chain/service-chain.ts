import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { type ClientUnaryCall, credentials, Metadata } from '@grpc/grpc-js';
import type { Contestant, Frontend } from '../../contestants/contestant.js';
import { ChainClient } from '../../generated/bench/v1/bench.js';
import { type HeldCall, type Leaf, startLeaf } from './leaf.js';

/** How a call with a deadline ended at the leaf, in milliseconds after the client's deadline. */
export interface LeafEnd {
  readonly hops: number;
  /** Below 0 where it ended early; `null` where it was not seen to end in time. */
  readonly ended: number | null;
  /** The deadline that the leaf was given; `null` where it was given none, or did not get the call. */
  readonly given: number | null;
}

export interface DeadlinePlan {
  readonly timeoutMs: number;
  /** From one call's start to the next one's. */
  readonly apartMs: number;
}

/**
 * A contestant's frontends in a row, each a client of the next one, and a leaf at the end. All of them and the client are in
 * this process: whatever passes a cancellation on does so on one event loop and one clock. With a process for each, on
 * fewer processors than processes, most of the time would be the scheduler's.
 */
export class ServiceChain {
  private calls = 0;

  private constructor(
    private readonly leaf: Leaf,
    private readonly frontends: readonly Frontend[],
    private readonly clients: readonly ChainClient[],
    /** How long after its cancellation, or its deadline, a call is waited for at the leaf. */
    private readonly lostAfterMs: number,
  ) {}

  static async start(contestant: Contestant, length: number, { lostAfterMs = 1_000 } = {}): Promise<ServiceChain> {
    const leaf = await startLeaf();
    const frontends: Frontend[] = [];
    for (let upstream = leaf.port; frontends.length < length; upstream = frontends.at(-1)!.port) {
      frontends.push(await contestant.startFrontend(`127.0.0.1:${upstream}`));
    }
    const clients = frontends.map(({ port }) => new ChainClient(`127.0.0.1:${port}`, credentials.createInsecure()));
    return new ServiceChain(leaf, frontends, clients, lostAfterMs);
  }

  /** Milliseconds from the client's cancel to the leaf's event, `hops` frontends away; `null` where there was none. */
  async cancel(hops: number): Promise<number | null> {
    const { call, arrived, ended } = this.call(hops, Date.now() + 60_000);
    const held = await Promise.race([arrived, ended.then(() => Promise.reject(new Error('The call was not held')))]);
    const start = performance.now();
    call.cancel();
    await ended;
    const cancelled = await this.endOf(held, start + this.lostAfterMs);
    return cancelled === null ? null : rounded(cancelled - start);
  }

  /** Calls through so many hops each, which end by their deadline. */
  async deadlines(hops: readonly number[], { timeoutMs, apartMs }: DeadlinePlan): Promise<LeafEnd[]> {
    const ends: Promise<LeafEnd>[] = [];
    for (const ofCall of hops) {
      ends.push(this.deadline(ofCall, timeoutMs));
      await setTimeout(apartMs);
    }
    return await Promise.all(ends);
  }

  async close(): Promise<void> {
    for (const client of this.clients) {
      client.close();
    }
    this.leaf.close();
    await Promise.all(this.frontends.map((frontend) => frontend.close()));
  }

  private async deadline(hops: number, timeoutMs: number): Promise<LeafEnd> {
    // Deadlines are in whole milliseconds, what is measured is not.
    const deadline = Date.now() + timeoutMs;
    const deadlineHere = deadline - performance.timeOrigin;
    const { arrived, ended } = this.call(hops, deadline);
    await ended;
    const lost = deadlineHere + this.lostAfterMs;
    const held = await within(lost - performance.now(), arrived);
    if (held === undefined) {
      return { hops, ended: null, given: null };
    }
    const end = await this.endOf(held, lost);
    return {
      hops,
      ended: end === null ? null : rounded(end - deadlineHere),
      given: Number.isFinite(held.deadline) ? held.deadline - deadline : null,
    };
  }

  private call(
    hops: number,
    deadline: number,
  ): { call: ClientUnaryCall; arrived: Promise<HeldCall>; ended: Promise<void> } {
    const id = String(this.calls++);
    const arrived = this.leaf.held(id);
    let ended!: () => void;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const call = this.clients[hops - 1]!.hold({ id }, new Metadata(), { deadline }, () => ended());
    return { call, arrived, ended: end };
  }

  private async endOf(held: HeldCall, lost: number): Promise<number | null> {
    const end = await within(lost - performance.now(), held.cancelled);
    if (end === undefined) {
      held.letGo();
      return null;
    }
    return end;
  }
}

/** To microseconds. */
function rounded(ms: number): number {
  return Number(ms.toFixed(3));
}

/** What the promise resolves with, or `undefined` when that takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const late = setTimeout(ms, undefined, { signal: over.signal });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}
