import type { Block, Figure, Table } from '../measurement.js';

/** A block as the one thing that it is. */
export function blockKind(block: Block): { readonly text?: string; readonly table?: Table; readonly figure?: Figure } {
  if (typeof block === 'string') {
    return { text: block };
  }
  return 'plot' in block ? { figure: block } : { table: block };
}
