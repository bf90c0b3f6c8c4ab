import { loadContestant } from '../contestants/contestants.js';
import { type ProcessOperations, serveParent } from '../harness/serve-parent.js';

/** A contestant's service in the middle: `frontend.js <contestant> <upstream>`. */
export interface FrontendProcess extends ProcessOperations {
  port(): number;
}

const [name, upstream] = process.argv.slice(2);
const contestant = await loadContestant(name!);
const { port } = await contestant.startFrontend(upstream!);

serveParent<FrontendProcess>({ port: () => port });
