import { runDetached } from './ambient.js';

/** The longest delay of a Node timer, in ms (24.8 days); a longer one fires at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Calls `onDeadline` once, when the clock has reached `deadline` (epoch ms), never before it: it re-arms itself over
 * delays that Node's timers cannot hold, and over timers that fire a fraction of a millisecond early.
 *
 * It keeps no process alive, like `AbortSignal.timeout()`, and holds no call context.
 */
export class DeadlineTimer {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly deadline: number,
    private readonly onDeadline: () => void,
  ) {
    runDetached(() => this.arm());
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private arm(): void {
    const delay = this.deadline - Date.now();
    this.timer = setTimeout(tick, Math.min(Math.max(delay, 0), LONGEST_DELAY_MS), this);
    this.timer.unref();
  }

  /** @internal */
  tick(): void {
    if (Date.now() >= this.deadline) {
      this.onDeadline();
    } else {
      this.arm();
    }
  }
}

function tick(timer: DeadlineTimer): void {
  timer.tick();
}
