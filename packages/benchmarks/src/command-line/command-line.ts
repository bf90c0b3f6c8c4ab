import { parseArgs } from 'node:util';
import type { Measurement, NodeBinary } from '../measurement.js';

export interface CommandLine {
  readonly action: 'measure' | 'report' | 'list' | 'help';
  readonly quick: boolean;
  /** What to measure: all, unless `--only` names some. */
  readonly selected: readonly Measurement[];
  /** By version; the running Node is always one of them. */
  readonly nodes: readonly NodeBinary[];
  /** What is wrong with it, and what there is instead. */
  readonly mistake?: string;
}

export function readCommandLine(args: readonly string[], measurements: readonly Measurement[]): CommandLine {
  const nothing = { action: 'measure', quick: false, selected: [], nodes: [] } as const;
  try {
    return read(args, measurements);
  } catch (error) {
    // parseArgs goes on to advise arguments that begin with a dash, which nobody means here.
    return { ...nothing, mistake: (error as Error).message.replace(/ To specify a positional argument.*/, '') };
  }
}

export function helpText(): string {
  return [
    'Measures grpc-di beside its peers and writes docs/benchmarks.md.',
    '',
    'npm run bench                    measures everything on Node 20, 22, 24 and 26; leave the machine alone meanwhile',
    'npm run bench -- --quick         about two minutes, on this Node only; writes to .cache/bench instead',
    'npm run bench -- --only a,b      measures these again and keeps what was measured of the others',
    'npm run bench -- --report        measures nothing, writes the report again from the raw numbers',
    'npm run bench -- --list          names the measurements',
    '',
    '--report with --quick reads and writes .cache/bench.',
    '--node 24=/path/to/node          measures on this Node, too; may be given more than once',
    'NO_COLOR in the environment      without colours',
    '',
    'The exit code is 1 when a measurement fails. A target that is missed is no failure: the report says so.',
  ].join('\n');
}

export function listText(measurements: readonly Measurement[]): string {
  const width = Math.max(0, ...measurements.map(({ name }) => name.length));
  return measurements.map(({ name, title }) => `${name.padEnd(width)}  ${title}`).join('\n');
}

function read(args: readonly string[], measurements: readonly Measurement[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      report: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      node: { type: 'string', multiple: true, default: [] },
    },
  });
  if (positionals.length > 0) {
    throw new Error(`To measure only some, write --only ${positionals.join(',')}.`);
  }
  if (values.report && values.only !== undefined) {
    throw new Error('--report writes the whole report, from all raw numbers: leave out --only.');
  }
  return {
    action: values.help ? 'help' : values.list ? 'list' : values.report ? 'report' : 'measure',
    quick: values.quick,
    selected: values.only === undefined ? measurements : named(values.only, measurements),
    nodes: nodesOf(values.node),
  };
}

function named(only: string, measurements: readonly Measurement[]): Measurement[] {
  const names = only.split(',').map((name) => name.trim());
  const known = measurements.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`There is no measurement '${unknown}'. There are ${known.join(', ')}.`);
  }
  return measurements.filter(({ name }) => names.includes(name));
}

function nodesOf(given: readonly string[]): NodeBinary[] {
  const running = process.versions.node.split('.')[0]!;
  const nodes = new Map<string, NodeBinary>([[running, { version: running, path: process.execPath }]]);
  for (const text of given) {
    const parts = /^(\d+)=(.+)$/.exec(text);
    if (parts === null) {
      throw new Error(`--node takes a major version and a path, as in --node 24=/path/to/node; this is '${text}'.`);
    }
    const [, version, path] = parts as unknown as [string, string, string];
    nodes.set(version, { version, path });
  }
  return [...nodes.values()].sort((a, b) => Number(a.version) - Number(b.version));
}
