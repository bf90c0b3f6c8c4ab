import { duration } from '../tracing/trace.js';
import type { Scenario } from './scenario.js';

const WORK_MS = 400;
// Far enough off that a slow machine is in time, too.
const TIMEOUT_MS = 1200;

export const inTime: Scenario = {
  name: 'in-time',
  about: 'Everything is done in time',

  async play(open) {
    const shop = await open({ propagate: true });
    const trace = await shop.record(
      { calls: 3, timeoutMs: TIMEOUT_MS },
      (frontend, options) => frontend.getProfile({ userId: 'Ada', workMs: WORK_MS }, options).status,
    );
    return [trace];
  },

  reading({ client, deepest }) {
    const left = Math.round(client.deadline - client.endedAt);
    return (
      `The client had its answer after ${duration(client)} ms, ${left} ms before its deadline, ` +
      `which orders also knew: it saw ${deepest.deadline - deepest.startedAt} ms to go when it began.`
    );
  },

  expectations: ({ calls, deepest, client }) => ({
    'every call is OK': calls.every(({ outcome }) => outcome === 'OK'),
    'the deadline reached the deepest call': Math.abs(deepest.deadline - client.deadline) < TIMEOUT_MS / 2,
  }),
};
