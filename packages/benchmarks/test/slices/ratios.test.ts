import { expect, test } from '@jest/globals';
import type { SeatResults, SliceResults } from '../../dist/slices/measure-slices.js';
import { inWords, ratios, typical } from '../../dist/slices/ratios.js';
import { allSeats, contestantOf, nearSeats, peerSeats, turnsOf } from '../../dist/slices/seats.js';

const results: SliceResults = {
  load: { rpc: 'greet', inFlight: 16 },
  seats: [seat('grpc-js', [100, 200, 300, 400]), seat('nice-grpc', [50, null, 300])],
};

test('a ratio is that of two slices of one round, and rounds that a seat sat out do not count', () => {
  expect(ratios(results, 'callsPerSecond', 'nice-grpc', 'grpc-js')).toEqual({
    lower: 0.625,
    median: 0.75,
    upper: 0.875,
    count: 2,
  });
  expect(typical(results, 'callsPerSecond', 'nice-grpc')).toMatchObject({ median: 175, count: 2 });
});

test('a ratio in words has its quartiles', () => {
  expect(inWords({ lower: 0.914, median: 0.9805, upper: 1.0649, count: 3 })).toBe('0.981 (0.91 to 1.06)');
});

test('every contestant has a seat, the floor two, and peers sit out three rounds of four', () => {
  expect(allSeats.map(contestantOf).filter((name) => name === 'grpc-js')).toHaveLength(2);
  expect(new Set([...nearSeats, ...peerSeats])).toEqual(new Set(allSeats));
  expect(peerSeats).toEqual(['nice-grpc', 'connect-node', 'nestjs']);
  expect(turnsOf(['grpc-di', 'nestjs'])).toEqual([
    { name: 'grpc-di', everyRounds: 1 },
    { name: 'nestjs', everyRounds: 4 },
  ]);
});

function seat(name: SeatResults['name'], callsPerSecond: (number | null)[]): SeatResults {
  return { name, title: name, callsPerSecond, cpu: [], frontendCpu: [], latencies: { p50: 1, p99: 2 } };
}
