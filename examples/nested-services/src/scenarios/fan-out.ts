import { setTimeout } from 'node:timers/promises';
import { duration, overrun } from '../tracing/trace.js';
import { PROMPT_MS, type Scenario } from './scenario.js';

const CHILDREN = 10;
const WORK_MS = 1500;
const CANCEL_AFTER_MS = 250;

export const fanOut: Scenario = {
  name: 'fan-out',
  about: 'A fan-out of ten children is cancelled at once',

  async play(open) {
    const shop = await open({ propagate: true });
    const orderIds = Array.from({ length: CHILDREN }, (_, index) => `Ada-${index + 1}`);
    const trace = await shop.record({ calls: 1 + CHILDREN }, async (frontend, options, recorded) => {
      const call = frontend.getOrders({ orderIds, workMs: WORK_MS }, options);
      await recorded.untilStarted(1 + CHILDREN);
      await setTimeout(CANCEL_AFTER_MS);
      call.cancel();
      return call.status;
    });
    return [trace];
  },

  reading(trace) {
    const overruns = trace.calls.filter(({ service }) => service === 'orders').map((call) => overrun(trace, call));
    return (
      `The client cancelled after ${duration(trace.client)} ms; the first of the ${overruns.length} children stopped ` +
      `${Math.min(...overruns)} ms later, the last ${Math.max(...overruns)} ms later.`
    );
  },

  expectations: (trace) => ({
    'there are ten children': trace.calls.filter(({ service }) => service === 'orders').length === CHILDREN,
    'every call is CANCELLED': trace.calls.every(({ outcome }) => outcome === 'CANCELLED'),
    'all stop at once': trace.served.every((call) => overrun(trace, call) < PROMPT_MS),
  }),
};
