/** A function as V8's profiles name it. */
export interface ProfiledFunction {
  readonly function: string;
  /** A `file:` URL, `node:` name, or empty for V8's own work. */
  readonly url: string;
  readonly line: number;
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

/** Adds up what samples say of functions. */
export class FunctionSums {
  private readonly sums = new Map<string, ProfiledFunction & { sum: number }>();

  add({ functionName, url, lineNumber }: CallFrame, amount: number): void {
    const key = `${functionName} ${url} ${lineNumber}`;
    const earlier = this.sums.get(key);
    if (earlier === undefined) {
      this.sums.set(key, { function: functionName, url, line: lineNumber + 1, sum: amount });
    } else {
      earlier.sum += amount;
    }
  }

  /** The largest first. */
  sorted(): (ProfiledFunction & { readonly sum: number })[] {
    return [...this.sums.values()].sort((a, b) => b.sum - a.sum);
  }
}
