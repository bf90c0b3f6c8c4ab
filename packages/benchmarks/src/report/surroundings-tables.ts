import type { Table } from '../measurement.js';
import type { RawResults } from './raw-results.js';

/** Where and when it was measured: one row, unless some measurements were made elsewhere. */
export function machines(results: readonly RawResults[]): Table {
  const rows = grouped(results, ({ cpu, memory, os, node }) => [
    `${cpu.count} × ${cpu.model}`,
    `${memory} GiB`,
    os,
    node,
  ]);
  return {
    columns: ['processors', 'memory', 'system', 'Node', 'measured', ...(rows.length > 1 ? ['measurements'] : [])],
    rows: rows.map(({ values, members }) => [
      ...values,
      days(members),
      ...(rows.length > 1 ? [members.map(({ name }) => name).join(', ')] : []),
    ]),
  };
}

/** The versions of all packages; more than one of a package, where some measurements were made with another. */
export function packageVersions(results: readonly RawResults[]): Table {
  const names = [...new Set(results.flatMap(({ versions }) => Object.keys(versions)))].sort();
  return {
    columns: ['package', 'version'],
    rows: names.map((name) => {
      const having = results.filter(({ versions }) => versions[name] !== undefined);
      const groups = grouped(having, ({ versions }) => [versions[name]!]);
      const texts = groups.map(({ values: [version], members }) =>
        groups.length === 1 ? version! : `${version} (${members.map((each) => each.name).join(', ')})`,
      );
      return [name, texts.join('; ')];
    }),
  };
}

interface Group {
  readonly values: readonly string[];
  readonly members: RawResults[];
}

/** Results with the same values together, in the order in which they come up. */
function grouped(results: readonly RawResults[], valuesOf: (result: RawResults) => string[]): Group[] {
  const groups = new Map<string, Group>();
  for (const result of results) {
    const values = valuesOf(result);
    const key = JSON.stringify(values);
    const group = groups.get(key) ?? { values, members: [] };
    group.members.push(result);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function days(results: readonly RawResults[]): string {
  const sorted = results.map(({ measuredAt }) => measuredAt.slice(0, 10)).sort();
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  return first === last ? first : `${first} to ${last}`;
}
