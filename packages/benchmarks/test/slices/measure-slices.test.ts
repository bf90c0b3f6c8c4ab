import { expect, test } from '@jest/globals';
import { measureSlices } from '../../dist/slices/measure-slices.js';

test('a slice of every kind of load has calls, CPU and latencies of each seat', async () => {
  const told: string[] = [];

  const results = await measureSlices(
    {
      seats: ['grpc-js', 'grpc-di'],
      loads: [
        { rpc: 'greet', inFlight: 2, rounds: 2 },
        { rpc: 'readList', inFlight: 1, rounds: 1, messages: 20 },
        { rpc: 'readChat', inFlight: 1, rounds: 1, messages: 20 },
      ],
      sliceMs: 10,
      warmUpMs: 100,
    },
    (_done, _total, doing) => told.push(doing),
  );

  expect(results.map(({ load }) => load.rpc)).toEqual(['greet', 'readList', 'readChat']);
  for (const { seats } of results) {
    expect(seats.map(({ title }) => title)).toEqual(['grpc-js, nothing passed on', 'grpc-di, promises']);
    for (const seat of seats) {
      for (const number of [...seat.callsPerSecond, ...seat.cpu, ...seat.frontendCpu]) {
        expect(number).toBeGreaterThan(0);
      }
      expect(seat.latencies.p99).toBeGreaterThanOrEqual(seat.latencies.p50);
      expect(seat.latencies.p50).toBeGreaterThan(0);
    }
  }
  expect(results[0]!.seats[0]!.callsPerSecond).toHaveLength(2);
  expect(told[0]).toBe('greet, 2 in flight');
}, 20_000);
