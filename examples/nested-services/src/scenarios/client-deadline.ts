import { duration, overrun } from '../tracing/trace.js';
import { PROMPT_MS, type Scenario } from './scenario.js';

const WORK_MS = 1500;
const TIMEOUT_MS = 500;

export const clientDeadline: Scenario = {
  name: 'client-deadline',
  about: "The client's deadline ends the deepest call",

  async play(open) {
    const shop = await open({ propagate: true });
    const trace = await shop.record(
      { calls: 3, timeoutMs: TIMEOUT_MS },
      (frontend, options) => frontend.getProfile({ userId: 'Ada', workMs: WORK_MS }, options).status,
    );
    return [trace];
  },

  reading(trace) {
    const { client, deepest } = trace;
    return (
      `The client gave up after ${duration(client)} ms; orders worked ${overrun(trace, deepest)} ms longer ` +
      `and left ${Math.max(0, WORK_MS - duration(deepest))} ms of its work undone.`
    );
  },

  expectations: (trace) => ({
    'every call is DEADLINE_EXCEEDED': trace.calls.every(({ outcome }) => outcome === 'DEADLINE_EXCEEDED'),
    'orders stops when the client does': overrun(trace, trace.deepest) < PROMPT_MS,
  }),
};
