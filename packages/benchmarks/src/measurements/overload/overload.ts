import { type CpuMicroseconds, WorkerProcess } from '../../harness/worker-process.js';
import type { BenchRun, Measurement } from '../../measurement.js';
import type { ClientsProcess } from './clients-process.js';
import { arrivalsOf, type Phases, type Point, plan } from './plan.js';
import { type Outcome, reckon } from './reckon.js';
import { reportOverload } from './report-overload.js';
import type { ServiceProcess } from './service-process.js';
import { type Setting, setting } from './setting.js';

export interface OverloadRaw {
  readonly setting: Setting;
  readonly phases: Phases;
  readonly points: readonly MeasuredPoint[];
}

export interface MeasuredPoint extends Point {
  readonly outcome: Outcome;
  /** How much longer than asked for the jobs took that were done, on average: timers are late. In milliseconds. */
  readonly lateMs: number;
  /** Of the process that was busiest, as a share of one core: that the machine is not what is measured. */
  readonly busiestCpu: number;
}

/** What three services do under more requests than they can answer. */
export const overload: Measurement<OverloadRaw> = {
  name: 'overload',
  title: 'Goodput under overload',
  run,
  report: reportOverload,
};

async function run(bench: BenchRun): Promise<OverloadRaw> {
  const { points, ...phases } = plan(bench.quick);
  const processes = await startProcesses();
  const measured: MeasuredPoint[] = [];
  try {
    for (const [done, point] of points.entries()) {
      bench.progress(done, points.length, `${point.load} x the capacity, ${point.service}`);
      measured.push(await measure(processes, point, phases));
    }
  } finally {
    await Promise.all(Object.values(processes).map((process) => process.close()));
  }
  return { setting, phases, points: measured };
}

interface Processes {
  readonly clients: WorkerProcess<ClientsProcess>;
  readonly edge: WorkerProcess<ServiceProcess>;
  readonly middle: WorkerProcess<ServiceProcess>;
  readonly deep: WorkerProcess<ServiceProcess>;
}

async function startProcesses(): Promise<Processes> {
  const service = () => WorkerProcess.start<ServiceProcess>(new URL('./service-process.js', import.meta.url));
  const [clients, edge, middle, deep] = await Promise.all([
    WorkerProcess.start<ClientsProcess>(new URL('./clients-process.js', import.meta.url)),
    service(),
    service(),
    service(),
  ]);
  return { clients, edge, middle, deep };
}

/** With servers and connections of its own, so that nothing is left of the point before. */
async function measure(processes: Processes, point: Point, phases: Phases): Promise<MeasuredPoint> {
  const { clients, edge, middle, deep } = processes;
  const propagation = point.service !== 'without propagation' && { deadlineMarginMs: setting.marginMs };
  const leastMs = point.service === 'with propagation and a look at the time' ? setting.leastMs : 0;
  const atDeep = await deep.ask('startWorkshop', { workers: setting.workers, leastMs });
  const atMiddle = await middle.ask('startForwarder', { address: atDeep, propagation });
  const address = await edge.ask('startForwarder', { address: atMiddle, propagation });

  const cpuBefore = await cpuOf(processes);
  const start = performance.now();
  const { startedMs, requests } = await clients.ask('sendAll', {
    address,
    arrivals: arrivalsOf(point, phases),
    deadlineMs: setting.deadlineMs,
    attempts: setting.attempts,
  });
  const elapsedMs = performance.now() - start;
  const cpuAfter = await cpuOf(processes);

  const shifts = await deep.ask('shifts');
  const fromMs = startedMs + phases.warmUpMs;
  const outcome = reckon(requests, shifts, setting.workers, { fromMs, toMs: fromMs + phases.measuredMs });
  const late = shifts.filter(({ done }) => done).map(({ workMs, begunMs, endedMs }) => endedMs! - begunMs - workMs);
  await edge.ask('close');
  await middle.ask('close');
  await deep.ask('close');
  return {
    ...point,
    outcome,
    lateMs: late.reduce((total, ms) => total + ms, 0) / Math.max(1, late.length),
    busiestCpu: Math.max(...cpuAfter.map((cpu, i) => (cpu - cpuBefore[i]!) / 1_000 / elapsedMs)),
  };
}

function cpuOf(processes: Processes): Promise<CpuMicroseconds[]> {
  return Promise.all(Object.values(processes).map((process: WorkerProcess<ClientsProcess>) => process.ask('cpu')));
}
