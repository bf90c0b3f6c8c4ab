import type { createColors } from 'picocolors';

export type Colours = ReturnType<typeof createColors>;

/** Where a run tells what it does. */
export interface Output {
  write(text: string): void;
  /** Of a terminal; undefined where lines cannot be written over. */
  readonly columns: number | undefined;
  readonly colours: Colours;
}
