import type { Ending, RunningCall } from '../propagation/call-target.js';

/**
 * The calls that run on a channel, each a link of the list. In a `Set` that calls come into and leave all the time, V8
 * makes a new table again and again, and each old one that has reached the old generation keeps all later ones from
 * being collected, with calls that ended long ago: over half of the garbage collector's time.
 */
export class RunningCalls {
  private first: RunningCall | undefined;

  add(call: RunningCall): void {
    const { first } = this;
    call.nextRunning = first;
    if (first !== undefined) {
      first.previousRunning = call;
    }
    this.first = call;
  }

  remove(call: RunningCall): void {
    const { previousRunning: previous, nextRunning: next } = call;
    if (previous !== undefined) {
      previous.nextRunning = next;
    } else if (this.first === call) {
      this.first = next;
    }
    if (next !== undefined) {
      next.previousRunning = previous;
    }
    call.previousRunning = undefined;
    call.nextRunning = undefined;
  }

  /** Ends all of them, or those of one client's part. */
  end(ending: Ending, part?: object): void {
    const calls: RunningCall[] = [];
    for (let call = this.first; call !== undefined; call = call.nextRunning) {
      if (part === undefined || call.part === part) {
        calls.push(call);
      }
    }
    for (const call of calls) {
      call.end(ending);
    }
  }
}
