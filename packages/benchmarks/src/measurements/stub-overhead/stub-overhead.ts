import { barsFigure } from '../../figures/bars-figure.js';
import { type Quartiles, quartiles } from '../../harness/quartiles.js';
import { takeTurns } from '../../harness/turns.js';
import { WorkerProcess } from '../../harness/worker-process.js';
import type { BenchRun, Figure, Measurement, Section, Table, Target } from '../../measurement.js';
import { type Kind, kinds } from './handlers.js';
import { type OwnFunction, ownFunctions, ownFunctionsTable } from './own-functions.js';
import type { StubProcess } from './process.js';
import { type VariantName, variants } from './variants.js';

/** With grpc-js's own stack traces and without: it takes one per call, which costs most of the call. */
type Stacks = 'with stacks' | 'without stacks';

interface StubResult {
  readonly kind: Kind;
  readonly stacks: Stacks;
  /** Nanoseconds and bytes per call, a number per batch; batches of one index were run one after another. */
  readonly batches: Readonly<Record<VariantName, { readonly nanoseconds: number[]; readonly bytes: number[] }>>;
  /** Where the project's promise form spends what it adds. */
  readonly own: readonly OwnFunction[];
}

/** What each variant is the overhead over. */
const floors: Partial<Record<VariantName, readonly VariantName[]>> = {
  'grpc-js, AsyncLocalStorage': ['grpc-js'],
  'grpc-js, promises, AsyncLocalStorage': ['grpc-js, promises'],
  'grpc-di': ['grpc-js', 'grpc-js, AsyncLocalStorage'],
  'grpc-di, promises': ['grpc-js, promises', 'grpc-js, promises, AsyncLocalStorage'],
  'grpc-di, not propagating': ['grpc-js'],
  'grpc-di, not propagating, promises': ['grpc-js, promises'],
};

const names = Object.keys(variants) as VariantName[];
const CALLS = 1_000;

export const stubOverhead: Measurement<{ readonly results: readonly StubResult[] }> = {
  name: 'stub-overhead',
  title: 'The pure overhead per call',

  async run(bench: BenchRun) {
    const plans = (bench.quick ? kinds.slice(0, 1) : kinds).flatMap((kind) =>
      (['with stacks', 'without stacks'] as const).map((stacks) => ({ kind, stacks })),
    );
    const results: StubResult[] = [];
    for (const { kind, stacks } of plans) {
      bench.progress(results.length, plans.length, `${kind}, ${stacks}`);
      results.push({ kind, stacks, ...(await measure(kind, stacks, bench.quick ? 15 : 120)) });
    }
    return { results };
  },

  report({ results }): Section {
    return {
      blocks: [
        'No network: the channel is a stub that answers at once, and the served call is one too. What is left is one served unary ' +
          'call with one child call of each kind, one message each way, on one thread; each variant in a process of its own. The ' +
          'deadline is passed on by hand where nothing else does. grpc-js takes a stack trace for every call, in case it fails, ' +
          'which takes longer than all the rest of the call, and differs with what lies on the stack: hence the rows ' +
          'without, where `--stack-trace-limit=0` is set for all. Bytes are what is allocated on the heap, not what is kept.',
        ...results.map(table),
        figure(results),
        "Where the promise form's own part of a unary call goes, by V8's profiles, without stack traces: a function's time and bytes " +
          'without those of what it calls. The bytes that grpc-js and Node allocate on its behalf are not among them.',
        ...results
          .filter(({ kind, stacks }) => kind === 'unary' && stacks === 'without stacks')
          .map(({ own }) => ownFunctionsTable(own)),
      ],
      targets: results.filter(({ kind }) => kind === 'unary').flatMap(targets),
    };
  },
};

async function measure(kind: Kind, stacks: Stacks, rounds: number): Promise<Pick<StubResult, 'batches' | 'own'>> {
  const nodeArgs = ['--expose-gc', '--max-semi-space-size=128', '--min-semi-space-size=128'];
  if (stacks === 'without stacks') {
    nodeArgs.push('--stack-trace-limit=0');
  }
  const processes = new Map<VariantName, WorkerProcess<StubProcess>>();
  const batches = Object.fromEntries(names.map((name) => [name, { nanoseconds: [], bytes: [] }])) as unknown as Record<
    VariantName,
    { nanoseconds: number[]; bytes: number[] }
  >;
  try {
    for (const name of names) {
      const process = await WorkerProcess.start<StubProcess>(new URL('process.js', import.meta.url), {
        args: [name, kind],
        nodeArgs,
      });
      processes.set(name, process);
      for (let i = 0; i < 15; i++) {
        await process.ask('batch', CALLS);
      }
    }
    const turns = names.map((name) => ({ name, everyRounds: 1 }));
    await takeTurns(turns, rounds, async (name) => {
      const { nanoseconds, bytes } = await processes.get(name)!.ask('batch', CALLS);
      batches[name].nanoseconds.push(Math.round(nanoseconds));
      batches[name].bytes.push(Math.round(bytes));
    });
    return { batches, own: await ownFunctions(processes.get('grpc-di, promises')!, rounds, CALLS) };
  } finally {
    await Promise.all([...processes.values()].map((process) => process.close()));
  }
}

function added(result: StubResult, what: 'nanoseconds' | 'bytes', name: VariantName, floor: VariantName): Quartiles {
  const base = result.batches[floor][what];
  return quartiles(result.batches[name][what].map((value, i) => value - base[i]!));
}

function table(result: StubResult): Table {
  return {
    columns: [`${result.kind}, ${result.stacks}`, 'ns', 'added, ns', 'bytes', 'added, bytes', 'over'],
    rows: names.flatMap((name) => {
      const ns = quartiles(result.batches[name].nanoseconds).median.toFixed(0);
      const bytes = quartiles(result.batches[name].bytes).median.toFixed(0);
      const over = floors[name];
      return over === undefined
        ? [[name, ns, '', bytes, '', '']]
        : over.map((floor) => [
            name,
            ns,
            inWords(added(result, 'nanoseconds', name, floor)),
            bytes,
            inWords(added(result, 'bytes', name, floor)),
            floor,
          ]);
    }),
  };
}

function figure(results: readonly StubResult[]): Figure {
  const bars = results
    .filter(({ stacks }) => stacks === 'without stacks')
    .flatMap((result) =>
      (['grpc-di', 'grpc-di, promises', 'grpc-di, not propagating', 'grpc-di, not propagating, promises'] as const).map(
        (name) => {
          const { lower, median, upper } = added(result, 'nanoseconds', name, floors[name]!.at(-1)!);
          return { group: result.kind, contestant: name, value: median, lower, upper };
        },
      ),
    );
  return barsFigure(
    'stub-overhead',
    `Nanoseconds added per call: ${bars.map((bar) => `${bar.group} ${bar.contestant} ${bar.value.toFixed(0)}`).join(', ')}`,
    bars,
    {
      label: 'nanoseconds added per call, both sides, over grpc-js (in an AsyncLocalStorage where it propagates)',
      title: 'Overhead per call without a network and without stack traces',
    },
  );
}

/** On both rows, with stack traces and without. */
function targets(result: StubResult): Target[] {
  return [
    ...(['grpc-di', 'grpc-di, promises'] as const).flatMap((name) => {
      const floor = floors[name]!.at(-1)!;
      return [goal(result, 'nanoseconds', name, floor, 1_000), goal(result, 'bytes', name, floor, 500)];
    }),
    ...(['grpc-di, not propagating', 'grpc-di, not propagating, promises'] as const).map((name) =>
      goal(result, 'nanoseconds', name, floors[name]![0]!, 300),
    ),
  ];
}

function goal(
  result: StubResult,
  what: 'nanoseconds' | 'bytes',
  name: VariantName,
  floor: VariantName,
  most: number,
): Target {
  const measured = added(result, what, name, floor);
  return {
    text: `Over stubs, unary, ${result.stacks}: ${what} added per call by ${name} over ${floor}: at most ${most}`,
    measured: `${inWords(measured)}, ${measured.count} batches of ${CALLS}`,
    met: measured.median <= most,
    because: "see the table of the project's own functions",
  };
}

function inWords({ lower, median, upper }: Quartiles): string {
  return `${median.toFixed(0)} (${lower.toFixed(0)} to ${upper.toFixed(0)})`;
}
