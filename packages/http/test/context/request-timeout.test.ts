import { currentCallContext } from '@grpc-di/client-factory';
import type { HttpCallContextOptions } from '@grpc-di/http';
import { describe, expect, test } from '@jest/globals';
import { APPS } from '../apps.js';
import { get } from '../client.js';

type Case = [options: HttpCallContextOptions, headers: Record<string, string>, timeoutMs: number];

const named = { timeoutHeader: 'X-Timeout' };
const HOUR = 3_600_000;

const CASES: Case[] = [
  [{}, {}, Infinity],
  [{ timeoutMs: Infinity }, {}, Infinity],
  [{ timeoutMs: HOUR }, {}, HOUR],
  [{ timeoutMs: () => HOUR }, {}, HOUR],
  [{ timeoutMs: () => undefined }, {}, Infinity],
  [{ timeoutMs: 0 }, {}, 0],
  // the header, under whichever name
  [named, { 'x-timeout': '7200000' }, 2 * HOUR],
  [named, { 'x-timeout': '7200000m' }, 2 * HOUR],
  [named, { 'x-timeout': '7200S' }, 2 * HOUR],
  [named, { 'x-timeout': '120M' }, 2 * HOUR],
  [named, { 'x-timeout': '2H' }, 2 * HOUR],
  [named, { 'x-timeout': '0' }, 0],
  [named, { 'x-timeout': '5000000n' }, 0],
  [named, { 'x-timeout': '5000u' }, 0],
  [{}, { 'x-timeout': '1500' }, Infinity],
  // grpc-timeout
  [{}, { 'grpc-timeout': '2H' }, 2 * HOUR],
  [{}, { 'grpc-timeout': '1500' }, Infinity],
  [{}, { 'grpc-timeout': '123456789S' }, Infinity],
  [{ timeoutHeader: 'grpc-timeout' }, { 'grpc-timeout': '7200000' }, 2 * HOUR],
  // nonsense
  ...['', 'soon', '-5', '1.5', '1e3', 'NaN', 'Infinity', '5s', '0x10', '1500, 1500', '1234567890123456', '١٢'].map(
    (value): Case => [named, { 'x-timeout': value }, Infinity],
  ),
  // the smallest wins
  [{ ...named, timeoutMs: HOUR }, { 'x-timeout': '2H', 'grpc-timeout': '3H' }, HOUR],
  [{ ...named, timeoutMs: 2 * HOUR }, { 'x-timeout': '1H', 'grpc-timeout': '3H' }, HOUR],
  [{ ...named, timeoutMs: 2 * HOUR }, { 'x-timeout': '3H', 'grpc-timeout': '1H' }, HOUR],
  [{ ...named, timeoutMs: HOUR }, { 'x-timeout': 'soon' }, HOUR],
];

describe.each(['node:http', 'node:http2'] as const)('%s', (name) => {
  test.each(CASES)('%o and the headers %o give a request %d ms', async (options, headers, timeoutMs) => {
    let lowest = 0;
    let highest = 0;
    await using app = await APPS[name](() => {
      lowest = sentAt + timeoutMs;
      highest = Date.now() + timeoutMs;
      return String(currentCallContext()!.deadline);
    }, options);

    const sentAt = Date.now();
    const { answer } = get(
      app,
      '/',
      Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, latin1(value)])),
    );

    const deadline = Number((await answer).body);
    // `5000000n` and `5000u` are 5 ms
    expect(deadline).toBeGreaterThanOrEqual(lowest);
    expect(deadline).toBeLessThanOrEqual(highest + 5);
  });
});

/** As the header's bytes: Node's client takes no characters that do not fit into one. */
function latin1(value: string): string {
  return Buffer.from(value).toString('latin1');
}
