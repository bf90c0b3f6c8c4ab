import { quartiles } from '../../harness/quartiles.js';
import { takeTurns } from '../../harness/turns.js';
import { WorkerProcess } from '../../harness/worker-process.js';
import type { Measurement, Table } from '../../measurement.js';
import type { FirstResolves, RegisteringProcess } from './process.js';
import { type RegistryName, registries } from './registries/registries.js';

/** What one process that has just started needed: times in milliseconds, memory in bytes of heap. */
interface Sample extends FirstResolves {
  readonly register: number;
  readonly others: number;
  readonly heapRegistered: number;
  readonly heapResolved: number;
}

interface StartUp {
  readonly clients: number;
  readonly samples: Readonly<Record<RegistryName, readonly Sample[]>>;
}

const names = Object.keys(registries) as RegistryName[];

export const startUp: Measurement<StartUp> = {
  name: 'start-up',
  title: 'Start-up with many clients',

  async run(bench) {
    const clients = bench.quick ? 250 : 1_000;
    const rounds = bench.quick ? 2 : 15;
    const samples: Record<RegistryName, Sample[]> = { 'grpc-js': [], inversify: [], 'grpc-di': [], nestjs: [] };
    let done = 0;
    const turns = names.map((name) => ({ name, everyRounds: 1 }));
    await takeTurns(turns, rounds, async (name) => {
      bench.progress(done++, rounds * names.length, `${clients} clients in ${name}`);
      samples[name].push(await sampleOf(name, clients));
    });
    return { clients, samples };
  },

  report(raw) {
    return {
      blocks: [
        `A program starts with ${grouped(raw.clients)} clients, each with a name and an address of its own. Each sample is a new ` +
          'process; its modules are loaded before the clock starts. Medians, with the quartiles in brackets.',
        times(raw),
        memory(raw),
        'grpc-js makes all its clients at once and keeps them in an array; the others make them when they are first asked ' +
          'for. NestJS has read the .proto for each client by the end of its registration. No client connects before its first call.',
      ],
      targets: [],
    };
  },
};

async function sampleOf(name: RegistryName, clients: number): Promise<Sample> {
  const program = new URL('./process.js', import.meta.url);
  const registering = await WorkerProcess.start<RegisteringProcess>(program, {
    args: [name, `${clients}`],
    nodeArgs: ['--expose-gc'],
  });
  try {
    const before = await registering.ask('heap');
    const register = await registering.ask('register');
    // Collecting leaves caches cold, so the first clients are asked for before it.
    const firstResolves = await registering.ask('resolve');
    const registered = await registering.ask('heap');
    const others = await registering.ask('resolveOthers');
    const resolved = await registering.ask('heap');
    return {
      register,
      ...firstResolves,
      others,
      heapRegistered: registered - before,
      heapResolved: resolved - before,
    };
  } finally {
    await registering.close();
  }
}

function times({ clients, samples }: StartUp): Table {
  return {
    columns: [
      '',
      `register ${grouped(clients)}, ms`,
      'first resolve, µs',
      'the same again, µs',
      'another, µs',
      'all the others, ms',
    ],
    rows: names.map((name) => [
      labels[name],
      spread(samples[name], ({ register }) => register),
      spread(samples[name], ({ first }) => first * 1_000),
      spread(samples[name], ({ same }) => same * 1_000),
      spread(samples[name], ({ another }) => another * 1_000),
      spread(samples[name], ({ others }) => others),
    ]),
  };
}

function memory({ samples }: StartUp): Table {
  return {
    columns: ['', 'registered, two resolved: heap, MB', 'all resolved: heap, MB'],
    rows: names.map((name) => [
      labels[name],
      spread(samples[name], ({ heapRegistered }) => heapRegistered / 1e6),
      spread(samples[name], ({ heapResolved }) => heapResolved / 1e6),
    ]),
  };
}

const labels: Record<RegistryName, string> = {
  'grpc-js': 'grpc-js, `new UsersClient()`',
  inversify: 'inversify, named singletons',
  'grpc-di': 'grpc-di, `createGrpcClient()`',
  nestjs: 'NestJS, `ClientsModule`',
};

function spread(samples: readonly Sample[], of: (sample: Sample) => number): string {
  const { lower, median, upper } = quartiles(samples.map(of));
  return `${rounded(median)} (${rounded(lower)}–${rounded(upper)})`;
}

/** To three digits, of which those before the point all stay. */
function rounded(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
  return value.toFixed(Math.min(digits, 3));
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
