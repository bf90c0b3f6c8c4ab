import { randomExponential, randomLcg } from 'd3-random';
import type { Service } from '../overload/setting.js';
import { type SimulatedArrival, type SimulationOutcome, simulate } from './simulate.js';

export const graphSetting = {
  services: 1_000,
  layers: 5,
  /** How many others a service calls at once, at least: those that nobody would call are called by one more. */
  fanOut: 2,
  /** The share of services that are at their capacity when the load is 1; the others are at half of theirs, at most. */
  hotSpots: 0.02,
  meanWorkMs: 20,
  /** Requests of clients at a load of 1. */
  perSecond: 1_600,
  deadlineMs: 500,
  attempts: 2,
  marginMs: 5,
} as const;

export interface CallGraph {
  readonly nodes: readonly Node[];
  /** Clients call the first so many, each as often. */
  readonly entries: number;
  /** How many services work on a request, on average. */
  readonly callsPerRequest: number;
  /** All services' workers. */
  readonly workers: number;
}

interface Node {
  readonly layer: number;
  readonly calls: readonly number[];
  readonly workers: number;
  readonly hot: boolean;
}

/** Draws services in layers, each twice as large as the one above, that call services of the layers below. */
export function drawCallGraph(seed: number): CallGraph {
  const { services, layers, fanOut, hotSpots, meanWorkMs, perSecond } = graphSetting;
  const random = randomLcg(seed);
  const starts = Array.from({ length: layers + 1 }, (_, i) =>
    Math.round((services * (2 ** i - 1)) / (2 ** layers - 1)),
  );
  const layerOf = (service: number) => starts.findIndex((start) => start > service) - 1;
  const of = (layer: number) => starts[layer]! + Math.floor(random() * (starts[layer + 1]! - starts[layer]!));
  const below = (layer: number) =>
    // Mostly the next layer, now and then one further down.
    of(random() < 0.8 ? layer + 1 : layer + 1 + Math.floor(random() * (layers - layer - 1)));

  const calls = Array.from({ length: services }, (_, service) => {
    const layer = layerOf(service);
    return layer === layers - 1 ? [] : Array.from({ length: fanOut }, () => below(layer));
  });
  const called = new Set(calls.flat());
  for (let service = starts[1]!; service < services; service++) {
    if (!called.has(service)) {
      calls[of(layerOf(service) - 1)]!.push(service);
    }
  }

  const entries = starts[1]!;
  const visits = calls.map((_, service) => (service < entries ? 1 / entries : 0));
  for (const [service, others] of calls.entries()) {
    for (const other of others) {
      visits[other]! += visits[service]!;
    }
  }

  const nodes = calls.map((others, service) => {
    const busy = (perSecond * visits[service]! * meanWorkMs) / 1_000;
    const hot = random() < hotSpots;
    return { layer: layerOf(service), calls: others, hot, workers: Math.ceil(hot ? busy : 2 * busy) };
  });
  return {
    nodes,
    entries,
    callsPerRequest: visits.reduce((sum, count) => sum + count, 0),
    workers: nodes.reduce((sum, { workers }) => sum + workers, 0),
  };
}

export interface GraphPhases {
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** A load, in multiples of what the hot spots can do. */
export function simulateGraph(
  graph: CallGraph,
  { load, service }: { load: number; service: Service },
  { warmUpMs, measuredMs }: GraphPhases,
): SimulationOutcome {
  const { layers, meanWorkMs, perSecond, deadlineMs, attempts, marginMs } = graphSetting;
  const looks = service === 'with propagation and a look at the time';
  const lengthMs = randomExponential.source(randomLcg(load / 11))(1 / meanWorkMs);
  const toMs = warmUpMs + measuredMs;
  return simulate({
    services: graph.nodes.map(({ workers, calls, layer }) => ({
      workers,
      calls,
      // Twice the mean work of each layer from here down.
      leastMs: looks ? 2 * meanWorkMs * (layers - layer) : 0,
    })),
    arrivals: requests(graph, load * perSecond, toMs + deadlineMs, load / 7),
    workMs: lengthMs,
    deadlineMs,
    attempts,
    propagation: service !== 'without propagation' && { marginMs },
    window: { fromMs: warmUpMs, toMs },
  });
}

function* requests({ entries }: CallGraph, perSecond: number, forMs: number, seed: number): Iterable<SimulatedArrival> {
  const random = randomLcg(seed);
  const gapMs = randomExponential.source(random)(perSecond / 1_000);
  for (let atMs = gapMs(); atMs < forMs; atMs += gapMs()) {
    yield { atMs, entry: Math.floor(random() * entries) };
  }
}
