import { loadContestant } from '../contestants/contestants.js';
import type { ProcessOperations } from '../harness/serve-parent.js';
import { serveFrontend } from './serve-frontend.js';

/** A contestant's service in the middle: `frontend.js <contestant> <upstream>`. */
export interface FrontendProcess extends ProcessOperations {
  port(): number;
  /** What the process has warned of, each once, such as `MaxListenersExceededWarning: Possible ...`. */
  warnings(): readonly string[];
}

const [name, upstream] = process.argv.slice(2);
await serveFrontend(await loadContestant(name!), upstream!);
