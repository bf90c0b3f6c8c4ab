import type { Target } from '../../measurement.js';
import type { SliceResults } from '../../slices/measure-slices.js';
import { inWords, type Measured, ratios, seatOf } from '../../slices/ratios.js';
import { BY_HAND, BY_HAND_IN_STORAGE, PARENT, PROMISES, peerSeats, type Seat } from '../../slices/seats.js';

/** What the promise form set out to reach beside the deadline passed by hand: it differs with Node's AsyncLocalStorage. */
export function ratioTargets(result: SliceResults, node: string): Target[] {
  const isOld = node.split('.')[0] === '20';
  return [
    atLeast(result, node, 'callsPerSecond', BY_HAND, isOld ? 0.95 : 0.98),
    atMost(result, node, 'cpu', isOld ? BY_HAND_IN_STORAGE : BY_HAND, 1.03),
  ];
}

/** Of the peers, and of grpc-js's own way. */
export function aheadOf(result: SliceResults): Target[] {
  const others = [PARENT, ...peerSeats].filter((seat) => result.seats.some(({ name }) => name === seat));
  return others.map((other) => {
    const rate = ratios(result, 'callsPerSecond', PROMISES, other as Seat);
    return {
      text: `Nested unary, ${result.load.inFlight} in flight: calls/s, times those of ${seatOf(result, other as Seat).title}: more than 1`,
      measured: `${inWords(rate)}, ${rate.count} turns`,
      met: rate.median > 1,
      because:
        other === PARENT ? 'its price comes with long calls: see "Many nested calls under one open stream"' : undefined,
    };
  });
}

function atLeast(result: SliceResults, node: string, measured: Measured, to: Seat, goal: number): Target {
  const rate = ratios(result, measured, PROMISES, to);
  return {
    text: `Nested unary, Node ${node}, ${result.load.inFlight} in flight: calls/s, times those of ${seatOf(result, to).title}: at least ${goal}`,
    measured: `${inWords(rate)}, ${rate.count} turns`,
    met: rate.median >= goal,
    because: ofStorage(result, measured, to),
  };
}

function atMost(result: SliceResults, node: string, measured: Measured, to: Seat, goal: number): Target {
  const cost = ratios(result, measured, PROMISES, to);
  return {
    text: `Nested unary, Node ${node}, ${result.load.inFlight} in flight: CPU per call, times that of ${seatOf(result, to).title}: at most ${goal}`,
    measured: `${inWords(cost)}, ${cost.count} turns`,
    met: cost.median <= goal,
    because: ofStorage(result, measured, to),
  };
}

/** What part of it every ambient context has; for the rest there is the profile. */
function ofStorage(result: SliceResults, measured: Measured, to: Seat): string {
  const alone =
    to === BY_HAND_IN_STORAGE
      ? ''
      : `an AsyncLocalStorage alone comes to ${ratios(result, measured, BY_HAND_IN_STORAGE, to).median.toFixed(2)}; `;
  return `${alone}see "Where the time of a nested call goes"`;
}
