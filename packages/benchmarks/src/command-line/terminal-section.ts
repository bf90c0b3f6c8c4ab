import Table from 'cli-table3';
import type { Block, Section, Table as TableBlock, Target } from '../measurement.js';
import { blockKind } from '../report/block-kind.js';
import { numberColumns } from '../report/number-columns.js';
import type { Colours } from './output.js';

/** A section's headings, tables and targets; its prose and figures are for the report. */
export function terminalSection(title: string, { blocks, targets }: Section, colours: Colours): string {
  const shown = blocks.flatMap((block) => terminalBlock(block, colours));
  return `${[colours.bold(title), ...shown, ...targets.map((target) => targetLine(target, colours))].join('\n')}\n`;
}

function terminalBlock(block: Block, colours: Colours): string[] {
  const kind = blockKind(block);
  if (kind.table !== undefined) {
    return [terminalTable(kind.table, colours)];
  }
  const heading = /^#+ (.*)/.exec(kind.text ?? '');
  return heading === null ? [] : [colours.bold(heading[1])];
}

function terminalTable(block: TableBlock, colours: Colours): string {
  const table = new Table({
    head: block.columns.map((column) => colours.bold(column)),
    colAligns: numberColumns(block).map((numbers) => (numbers ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...block.rows.map((row) => [...row]));
  return table.toString();
}

function targetLine({ text, measured, met }: Target, { green, red }: Colours): string {
  return `${met ? green('met   ') : red('missed')}  ${text}: ${measured}`;
}
