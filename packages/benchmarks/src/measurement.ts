import type { PlotOptions } from '@observablehq/plot';

/**
 * One thing that is measured. `run` gives raw numbers and nothing else: they are kept as JSON, and the report can be
 * written again from them.
 */
export interface Measurement<Raw = unknown> {
  /** Names the file of raw numbers, and the measurement on the command line: `nested-unary`. */
  readonly name: string;
  readonly title: string;
  run(bench: BenchRun): Promise<Raw>;
  report(raw: Raw): Section;
}

/** What a run has been asked for, and how it tells how far it is. */
export interface BenchRun {
  /** About two minutes for all measurements together, for a look: its medians are not to be quoted. */
  readonly quick: boolean;
  /** The Node versions to compare, the running one among them. */
  readonly nodes: readonly NodeBinary[];
  /** The raw numbers that another measurement has left behind, in this run or before it. */
  earlier?<Raw>(name: string): Raw | undefined;
  progress(done: number, total: number, doing: string): void;
}

export interface NodeBinary {
  /** The major version, such as `24`. */
  readonly version: string;
  readonly path: string;
}

/** A measurement's part of the report. */
export interface Section {
  /** Paragraphs of Markdown, tables and figures, in the order of reading. */
  readonly blocks: readonly Block[];
  /** What the project set out to reach here. */
  readonly targets: readonly Target[];
}

export type Block = string | Table | Figure;

/** Shown in the terminal and in the report. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Written as `<name>.svg` beside the raw numbers. */
export interface Figure {
  readonly name: string;
  /** What a reader who cannot see it is told. */
  readonly alt: string;
  readonly plot: PlotOptions;
}

export interface Target {
  /** Such as "calls/s against the deadline by hand, Node 24, 16 in flight: at least 0.98". */
  readonly text: string;
  readonly measured: string;
  readonly met: boolean;
  /** Where it was missed: what shows why. */
  readonly because?: string | undefined;
}
