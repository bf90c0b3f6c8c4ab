import type { Shop } from '../shop/shop.js';
import { overrun, type Trace } from '../tracing/trace.js';
import { PROMPT_MS, type Scenario } from './scenario.js';

const WORK_MS = 1500;
const TIMEOUT_MS = 500;

export const noPropagation: Scenario = {
  name: 'no-propagation',
  about: 'The same overrun with propagation and without it',
  titles: ['with propagation', 'without propagation'],

  async play(open) {
    const shops = [await open({ propagate: true }), await open({ propagate: false })];
    return Promise.all(shops.map(overrunIn));
  },

  reading(withIt, without) {
    const wasted = overrun(without, without.deepest);
    const everywhere = without.served.reduce((sum, call) => sum + overrun(without, call), 0);
    return (
      `Without propagation orders did ${wasted} ms of work that nobody waited for (and the three services together ` +
      `spent ${everywhere} ms on calls that were over); with it, ${overrun(withIt, withIt.deepest)} ms.`
    );
  },

  expectations: (withIt, without) => ({
    'with propagation orders stops when the client does': overrun(withIt, withIt.deepest) < PROMPT_MS,
    'without it orders works to the end': without.deepest.outcome === 'OK',
    'without it orders works on for nobody': overrun(without, without.deepest) > PROMPT_MS,
  }),
};

function overrunIn(shop: Shop): Promise<Trace> {
  return shop.record(
    { calls: 3, timeoutMs: TIMEOUT_MS },
    (frontend, options) => frontend.getProfile({ userId: 'Ada', workMs: WORK_MS }, options).status,
  );
}
