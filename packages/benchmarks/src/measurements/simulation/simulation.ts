import type { BenchRun, Measurement } from '../../measurement.js';
import type { OverloadRaw } from '../overload/overload.js';
import { capacityPerSecond, type Service, services, setting } from '../overload/setting.js';
import { drawCallGraph, type GraphPhases, graphSetting, simulateGraph } from './call-graph.js';
import { simulateChain } from './chain.js';
import { reportSimulation } from './report-simulation.js';

export interface SimulationRaw {
  /** The points of the overload measurement, beside what the simulation says of them; none without that measurement. */
  readonly chain: readonly ComparedPoint[];
  readonly graph: {
    readonly setting: typeof graphSetting;
    readonly phases: GraphPhases;
    readonly callsPerRequest: number;
    readonly workers: number;
    readonly hotSpots: number;
    readonly points: readonly GraphPoint[];
  };
}

export interface ComparedPoint {
  readonly service: Service;
  readonly load: number;
  readonly measured: Shares;
  readonly simulated: Shares;
}

/** As shares of the capacity. */
interface Shares {
  readonly goodput: number;
  readonly wasted: number;
}

export interface GraphPoint {
  readonly service: Service;
  readonly load: number;
  /** Answers in time, in multiples of the requests at a load of 1. */
  readonly goodput: number;
  /** Of the work that was done: the share that was for nobody. */
  readonly wasted: number;
}

/** What the overload measurement becomes in a graph of 1,000 services. */
export const simulation: Measurement<SimulationRaw> = {
  name: 'simulation',
  title: 'A simulation of 1,000 services under overload',
  run,
  report: reportSimulation,
};

async function run(bench: BenchRun): Promise<SimulationRaw> {
  const loads = bench.quick ? [0.5, 1, 2, 4] : [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
  const phases = bench.quick ? { warmUpMs: 1_000, measuredMs: 1_000 } : { warmUpMs: 4_000, measuredMs: 10_000 };
  const graph = drawCallGraph(0.5);
  const asked = loads.flatMap((load) => services.map((service) => ({ load, service })));
  const points: GraphPoint[] = [];
  for (const [done, point] of asked.entries()) {
    bench.progress(done, asked.length, `${point.load} x the capacity, ${point.service}`);
    const { answered, usefulMs, wastedMs } = simulateGraph(graph, point, phases);
    const atCapacity = (graphSetting.perSecond * phases.measuredMs) / 1_000;
    points.push({ ...point, goodput: answered / atCapacity, wasted: wastedMs / (usefulMs + wastedMs) });
    // Lets the progress be drawn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { callsPerRequest, workers, nodes } = graph;
  const hotSpots = nodes.filter(({ hot }) => hot).length;
  return {
    chain: compare(bench.earlier?.<OverloadRaw>('overload')),
    graph: { setting: graphSetting, phases, callsPerRequest, workers, hotSpots, points },
  };
}

function compare(overload: OverloadRaw | undefined): ComparedPoint[] {
  if (overload === undefined || !isSameSetting(overload)) {
    return [];
  }
  const seconds = overload.phases.measuredMs / 1_000;
  return overload.points.map(({ service, load, outcome }) => {
    const { answered, wastedMs } = simulateChain(setting, { service, load }, overload.phases);
    return {
      service,
      load,
      measured: { goodput: outcome.goodput / capacityPerSecond(setting), wasted: outcome.wasted },
      simulated: {
        goodput: answered / seconds / capacityPerSecond(setting),
        wasted: wastedMs / 1_000 / seconds / setting.workers,
      },
    };
  });
}

/** Numbers of a run that is out of date cannot be compared. */
function isSameSetting(overload: OverloadRaw): boolean {
  return JSON.stringify(overload.setting) === JSON.stringify(setting);
}
