import type { Block } from '../measurement.js';
import { blockKind } from './block-kind.js';
import { markdownTable } from './markdown-table.js';
import type { ReportPart } from './report-of.js';
import { machines, packageVersions } from './surroundings-tables.js';

/** The whole of `benchmarks.md`: the same for the same parts. */
export function markdownReport(parts: readonly ReportPart[]): string {
  const targets = parts.flatMap(({ section }) => section.targets);
  const results = parts.map((part) => part.results);
  const blocks: Block[] = [
    '<!-- Written by `npm run bench` from the raw numbers in benchmarks/: changes belong into packages/benchmarks. -->',
    '# Benchmarks',
    ...(results.some(({ quick }) => quick) ? ['**From a quick run: not to be quoted.**'] : []),
    INTRODUCTION,
    ...(targets.length === 0 ? [] : ['## Targets', targetTable(targets)]),
    ...parts.flatMap(({ title, section }) => [`## ${title}`, ...section.blocks]),
    '## Machine and versions',
    machines(results),
    packageVersions(results),
  ];
  return `${blocks.map(markdown).join('\n\n')}\n`;
}

const INTRODUCTION = `\`npm run bench\` measures all of this again, on Node 20, 22, 24 and 26, and writes this page; \`npm run bench -- --quick\`
takes a look in about two minutes and writes to \`.cache/bench\` instead; \`npm run bench -- --only <name>,<name>\` measures
some again. Everything runs over real sockets on the loopback interface of one machine. The raw numbers are in
[\`benchmarks/\`](benchmarks), and [packages/benchmarks](../packages/benchmarks) has what measures them.`;

function targetTable(targets: ReadonlyArray<ReportPart['section']['targets'][number]>): Block {
  return {
    columns: ['target', 'measured', ''],
    rows: targets.map(({ text, measured, met, because }) => [text, measured, met ? 'met' : missed(because)]),
  };
}

function missed(because?: string): string {
  return because === undefined ? '❌ missed' : `❌ missed: ${because}`;
}

function markdown(block: Block): string {
  const { text, table, figure } = blockKind(block);
  if (table !== undefined) {
    return markdownTable(table);
  }
  return text?.trim() ?? `![${figure!.alt.replaceAll(/[[\]\\]/g, '\\$&')}](benchmarks/${figure!.name}.svg)`;
}
