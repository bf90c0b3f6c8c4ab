/**
 * How a trip ended, in words, and the moment (epoch ms) that the calls' stopping is counted from: the click on Cancel,
 * the deadline, or, where the click was in another tab, when the gateway saw its client leave.
 */
export function ending({ request, calls, running }, own) {
  const served = calls.slice(1);
  if (request.end === undefined) {
    return { baseline: undefined, words: `${running - 1} of ${served.length} gRPC calls are running.` };
  }
  const stops = {
    OK: undefined,
    CANCELLED:
      own?.cancelledAt === undefined ? [request.end.at, 'after the client left'] : [own.cancelledAt, 'after the click'],
    DEADLINE_EXCEEDED: [request.deadline, 'after the deadline'],
  };
  const stop = stops[request.end.outcome];
  if (stop === undefined) {
    return { baseline: undefined, words: finished(request, served.length, running) };
  }
  const [baseline, since] = stop;
  const stopped = served.filter(({ end }) => end?.outcome === request.end.outcome);
  const words =
    running > 0
      ? `Stopping: ${running} of ${served.length} gRPC calls are still running.`
      : `Everything stopped ${since}: ${levels(stopped, baseline)}.`;
  return { baseline, words };
}

function finished({ at, end }, count, running) {
  const rest = running > 0 ? `; ${running} of its gRPC calls are still running` : '';
  return `${end.outcome === 'OK' ? 'Answered' : `Failed with ${end.outcome}`} in ${end.at - at} ms, after ${count} gRPC calls${rest}.`;
}

/** `level 1 in 3 ms, level 2 in 5 ms`: the slowest call of each level. */
function levels(stopped, baseline) {
  if (stopped.length === 0) {
    return 'nothing was running below';
  }
  const slowest = new Map();
  for (const { level, end } of stopped) {
    slowest.set(level, Math.max(slowest.get(level) ?? -Infinity, end.at - baseline));
  }
  return [...slowest]
    .sort(([a], [b]) => a - b)
    .map(([level, ms]) => `level ${level} in ${ms} ms`)
    .join(', ');
}
