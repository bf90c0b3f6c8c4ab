import { loadContestant } from '../../contestants/contestants.js';
import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';
import { type DeadlinePlan, type LeafEnd, ServiceChain } from './service-chain.js';

/** A chain of one contestant: `process.js <contestant> <length>`. */
export interface ChainProcess extends ProcessOperations {
  /** So many calls, one after the other: {@link ServiceChain.cancel}. */
  cancels(hops: number, count: number): Promise<readonly (number | null)[]>;
  deadlines(hops: readonly number[], plan: DeadlinePlan): Promise<readonly LeafEnd[]>;
}

const [name, length] = process.argv.slice(2);
const chain = await ServiceChain.start(await loadContestant(name!), Number(length));

serveParent<ChainProcess>({
  async cancels(hops, count) {
    const all: (number | null)[] = [];
    for (let i = 0; i < count; i++) {
      all.push(await chain.cancel(hops));
    }
    return all;
  },

  deadlines: (hops, plan) => chain.deadlines(hops, plan),
});
