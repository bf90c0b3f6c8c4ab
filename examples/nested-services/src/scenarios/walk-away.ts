import { overrun } from '../tracing/trace.js';
import { PROMPT_MS, type Scenario } from './scenario.js';

const ORDERS_WANTED = 3;
const WORK_MS = 350;

export const walkAway: Scenario = {
  name: 'walk-away',
  about: 'The client walks away in mid-stream and every level stops',

  async play(open) {
    const shop = await open({ propagate: true });
    const trace = await shop.record({ calls: 3 }, async (frontend, options) => {
      const orders = frontend.watchOrders({ userId: 'Ada', workMs: WORK_MS }, options);
      let seen = 0;
      for await (const _order of orders) {
        if (++seen === ORDERS_WANTED) {
          break;
        }
      }
      return orders.status;
    });
    return [trace];
  },

  reading(trace) {
    const last = Math.max(...trace.served.map((call) => overrun(trace, call)));
    return (
      `The client left the loop after ${ORDERS_WANTED} orders of an endless stream; ` +
      `${last} ms later all ${trace.served.length} services had stopped.`
    );
  },

  expectations: (trace) => ({
    'every call is CANCELLED': trace.calls.every(({ outcome }) => outcome === 'CANCELLED'),
    'every level stops at once': trace.served.every((call) => overrun(trace, call) < PROMPT_MS),
  }),
};
