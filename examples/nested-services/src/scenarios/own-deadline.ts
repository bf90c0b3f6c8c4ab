import { duration } from '../tracing/trace.js';
import { PROMPT_MS, type Scenario } from './scenario.js';

const WORK_MS = 1500;
const TIMEOUT_MS = 1400;
const ORDERS_TIMEOUT_MS = 300;

export const ownDeadline: Scenario = {
  name: 'own-deadline',
  about: "A child's own smaller deadline wins over the client's",

  async play(open) {
    const shop = await open({ propagate: true });
    const request = { userId: 'Ada', workMs: WORK_MS, ordersTimeoutMs: ORDERS_TIMEOUT_MS };
    const trace = await shop.record(
      { calls: 3, timeoutMs: TIMEOUT_MS },
      (frontend, options) => frontend.getProfile(request, options).status,
    );
    return [trace];
  },

  reading({ client, deepest }) {
    return (
      `users gave orders ${ORDERS_TIMEOUT_MS} ms, and orders stopped after ${duration(deepest)} ms; ` +
      `users made do without it, and the client had an answer ${Math.round(client.deadline - client.endedAt)} ms ` +
      'before its own deadline.'
    );
  },

  expectations: ({ calls, deepest }) => ({
    'orders is DEADLINE_EXCEEDED': deepest.outcome === 'DEADLINE_EXCEEDED',
    'orders stops at its own deadline': duration(deepest) < ORDERS_TIMEOUT_MS + PROMPT_MS,
    'all others are OK': calls.every(({ service, outcome }) => service === 'orders' || outcome === 'OK'),
  }),
};
