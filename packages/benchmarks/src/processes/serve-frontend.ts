import type { Contestant } from '../contestants/contestant.js';
import { serveParent } from '../harness/serve-parent.js';
import type { FrontendProcess } from './frontend.js';

/** Makes this process a {@link FrontendProcess} of the contestant. */
export async function serveFrontend(contestant: Contestant, upstream: string): Promise<void> {
  const warnings = new Set<string>();
  // Node's own listener would print them between the lines of the progress.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => warnings.add(`${name}: ${message}`));
  const { port } = await contestant.startFrontend(upstream);
  serveParent<FrontendProcess>({ port: () => port, warnings: () => [...warnings] });
}
