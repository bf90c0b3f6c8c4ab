import type { Output } from './output.js';

/** How far a run is: one line that changes in a terminal, a line at each quarter elsewhere. */
export class Progress {
  private readonly started = performance.now();
  private number = 0;
  private name = '';
  private line = '';
  private quarter = 0;
  private lastDrawn = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly output: Output,
    private readonly count: number,
  ) {}

  /** The next measurement begins. */
  begin(name: string): void {
    this.number++;
    this.name = name;
    this.quarter = 0;
    this.line = this.text();
    if (this.output.columns === undefined) {
      this.output.write(`${this.line}\n`);
    } else {
      this.draw();
      // Keeps the time going where one step takes long.
      this.timer = setInterval(() => this.draw(), 1_000).unref();
    }
  }

  update(done: number, total: number, doing: string): void {
    const fraction = total > 0 ? Math.min(1, done / total) : 0;
    this.line = this.text(`${Math.floor(fraction * 100)} %`, doing);
    if (this.output.columns === undefined) {
      const quarter = Math.floor(fraction * 4);
      if (quarter > this.quarter && quarter < 4) {
        this.quarter = quarter;
        this.output.write(`${this.line}  ${this.elapsed()}\n`);
      }
    } else if (performance.now() - this.lastDrawn > 100) {
      this.draw();
    }
  }

  /** What is written after it does not meet the changing line. */
  end(): void {
    clearInterval(this.timer);
    if (this.output.columns !== undefined) {
      this.output.write(CLEAR_LINE);
    }
  }

  /** Since the run began: minutes and seconds. */
  elapsed(): string {
    const seconds = Math.floor((performance.now() - this.started) / 1_000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }

  private text(...parts: string[]): string {
    return [`[${this.number}/${this.count}]`, this.name, ...parts].join('  ');
  }

  private draw(): void {
    this.lastDrawn = performance.now();
    const elapsed = `  ${this.elapsed()}`;
    // A line that wraps could not be cleared.
    const room = Math.max(0, this.output.columns! - elapsed.length - 1);
    this.output.write(`${CLEAR_LINE}${this.line.slice(0, room)}${this.output.colours.dim(elapsed)}`);
  }
}

const CLEAR_LINE = '\r\u001b[2K';
