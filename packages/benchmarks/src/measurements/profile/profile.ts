import { isOurs, ownerOf, placeOf } from '../../harness/code-owner.js';
import type { FunctionTime } from '../../harness/cpu-profile.js';
import { Services } from '../../harness/services.js';
import type { BenchRun, Measurement, Section, Table } from '../../measurement.js';

interface ProfiledContestant {
  readonly name: (typeof contestants)[number];
  readonly calls: number;
  /** Of the frontend, without the time in which it had nothing to do; microseconds per call. */
  readonly byOwner: Readonly<Record<string, number>>;
  /** The project's own functions, the most expensive first. */
  readonly own: readonly { readonly function: string; readonly file: string; readonly microseconds: number }[];
}

const contestants = ['grpc-js-deadline', 'grpc-js-deadline-als', 'grpc-di'] as const;

interface OnNode {
  readonly node: string;
  readonly profiled: readonly ProfiledContestant[];
}

/** Beside the running one: what is ambient works differently from here on. */
const OTHER_NODE = '24';

export const profile: Measurement<{ readonly results: readonly OnNode[] }> = {
  name: 'profile',
  title: 'Where the time of a nested call goes',

  async run(bench: BenchRun) {
    const running = process.versions.node.split('.')[0]!;
    const nodes = bench.nodes.filter(({ version }) => version === running || version === OTHER_NODE);
    const results: OnNode[] = [];
    for (const { version, path } of nodes) {
      const told = (done: number, name: string) =>
        bench.progress(results.length * contestants.length + done, nodes.length * contestants.length, name);
      results.push({ node: version, profiled: await profileOn(path, bench.quick, told) });
    }
    return { results };
  },

  report({ results }): Section {
    return {
      blocks: [
        "V8's sampling profile of the frontend while it serves nested unary calls, 16 in flight: the time of each function " +
          'without what it calls, by the package that the function is in. Node and V8 have more to do for what is ambient, too; that ' +
          'is in their rows.',
        ...results.flatMap(({ node, profiled }) => [
          `### Node ${node}`,
          byOwner(profiled),
          difference(profiled),
          "The project's own functions that take most:",
          own(profiled.find(({ name }) => name === 'grpc-di')!),
        ]),
      ],
      targets: [],
    };
  },
};

async function profileOn(
  node: string,
  quick: boolean,
  told: (done: number, name: string) => void,
): Promise<ProfiledContestant[]> {
  const services = await Services.start(
    Object.fromEntries(contestants.map((name) => [name, name])) as Record<
      ProfiledContestant['name'],
      ProfiledContestant['name']
    >,
    node,
  );
  const profiled: ProfiledContestant[] = [];
  try {
    for (const name of contestants) {
      told(profiled.length, name);
      const { port, process } = services.frontend(name);
      const load = { port, rpc: 'greet', inFlight: 16 } as const;
      await services.caller.ask('slice', { ...load, ms: quick ? 500 : 15_000 });
      await process.ask('startProfile');
      const { calls } = await services.caller.ask('slice', { ...load, ms: quick ? 500 : 10_000 });
      profiled.push(summary(name, calls, await process.ask('stopProfile')));
    }
  } finally {
    await services.close();
  }
  return profiled;
}

function summary(name: ProfiledContestant['name'], calls: number, times: readonly FunctionTime[]): ProfiledContestant {
  // The inspector's own work is done between two events of the frontend.
  const busy = times.filter((time) => time.function !== '(idle)' && time.url !== 'node:inspector');
  const owners: Record<string, number> = {};
  for (const time of busy) {
    const owner = ownerOf(time);
    owners[owner] = (owners[owner] ?? 0) + time.microseconds / calls;
  }
  const sorted = Object.entries(owners).sort(([, a], [, b]) => b - a);
  return {
    name,
    calls,
    byOwner: Object.fromEntries(sorted.map(([owner, microseconds]) => [owner, rounded(microseconds)])),
    own: busy
      .filter((time) => isOurs(ownerOf(time)))
      .slice(0, 15)
      .map((time) => ({
        function: time.function || '(anonymous)',
        file: placeOf(time),
        microseconds: rounded(time.microseconds / calls),
      })),
  };
}

/** What the frontend's time beyond that of the deadline by hand is made of. */
function difference(profiled: readonly ProfiledContestant[]): string {
  const [byHand, ours] = (['grpc-js-deadline', 'grpc-di'] as const).map(
    (name) => profiled.find((one) => one.name === name)!,
  );
  const sum = (of: ProfiledContestant, counts: (owner: string) => boolean) =>
    Object.entries(of.byOwner).reduce((total, [owner, value]) => total + (counts(owner) ? value : 0), 0);
  const more = sum(ours!, () => true) - sum(byHand!, () => true);
  const own = sum(ours!, isOurs);
  const container = sum(ours!, (owner) => owner.startsWith('@inversifyjs/'));
  return (
    `The frontend with grpc-di takes ${more.toFixed(1)} µs per call more than the one by hand. The project's own functions take ${own.toFixed(1)}, ` +
    `inversify, which makes the service and its clients for each call, ${container.toFixed(1)}; what else there is lies in code that both run.`
  );
}

function byOwner(profiled: readonly ProfiledContestant[]): Table {
  const owners = [...new Set(profiled.flatMap((one) => Object.keys(one.byOwner)))];
  const totals = profiled.map((one) => Object.values(one.byOwner).reduce((sum, value) => sum + value, 0));
  const cells = (values: readonly number[]) =>
    values.flatMap((value, i) => [value.toFixed(1), `${((value / totals[i]!) * 100).toFixed(1)} %`]);
  const ofOwner = (owner: string) => profiled.map((one) => one.byOwner[owner] ?? 0);
  const ofUs = profiled.map((one) =>
    Object.entries(one.byOwner).reduce((sum, [owner, value]) => sum + (isOurs(owner) ? value : 0), 0),
  );
  return {
    columns: ['code of', ...profiled.flatMap(({ name }) => [`${name}, µs per call`, 'share'])],
    rows: [
      ...owners.map((owner) => [owner, ...cells(ofOwner(owner))]).filter((row) => Number(row.at(-2)) >= 0.1),
      ["the project's packages together", ...cells(ofUs)],
      ['all', ...cells(totals)],
    ],
  };
}

function own({ own: functions }: ProfiledContestant): Table {
  return {
    columns: ['function', 'file', 'µs per call'],
    rows: functions.map((one) => [one.function, one.file, one.microseconds.toFixed(2)]),
  };
}

function rounded(microseconds: number): number {
  return Number(microseconds.toFixed(3));
}
