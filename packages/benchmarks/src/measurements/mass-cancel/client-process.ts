import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';
import { type CancellingClient, cancellingClient } from './cancelling-client.js';
import { isWay, ways } from './ways.js';

/** Makes and cancels outstanding calls in one way: `client-process.js <way>`. */
export interface MassCancelProcess extends ProcessOperations, CancellingClient {}

const way = process.argv[2]!;
if (!isWay(way)) {
  throw new Error(`There is no way "${way}"`);
}
const { startCalls } = await ways[way].load();

serveParent<MassCancelProcess>(cancellingClient(startCalls));
