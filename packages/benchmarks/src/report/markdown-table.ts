import { markdownTable as layOut } from 'markdown-table';
import type { Table } from '../measurement.js';
import { numberColumns } from './number-columns.js';

/** A table of plain text, in which only `code` in backticks is Markdown; columns of numbers are aligned to the right. */
export function markdownTable(table: Table): string {
  const align = numberColumns(table).map((numbers) => (numbers ? 'right' : 'left'));
  return layOut([table.columns.map(escaped), ...table.rows.map((row) => row.map(escaped))], { align });
}

function escaped(cell: string): string {
  return (
    cell
      .split(/(`[^`]+`)/)
      .map((text, i) => (i % 2 === 1 ? text : withoutMarkup(text)))
      .join('')
      // A pipe would end the cell in code, too, where GitHub takes this escape nevertheless.
      .replaceAll('|', '\\|')
      .replaceAll(/\s*\n\s*/g, ' ')
  );
}

// An underscore inside of a word, as in DEADLINE_EXCEEDED, marks nothing.
function withoutMarkup(text: string): string {
  return text.replaceAll(/[\\*<[\]~`]|(?<!\w)_|_(?!\w)/g, '\\$&').replaceAll(/&(?=#?\w+;)/g, '&amp;');
}
