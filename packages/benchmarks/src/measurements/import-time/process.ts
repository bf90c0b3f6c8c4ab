import { performance } from 'node:perf_hooks';
import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';

/** A program that has just started and imports what it is told: `process.js <module> ...`. */
export interface ImportingProcess extends ProcessOperations {
  /** How long the imports took, in milliseconds. */
  ms(): number;
}

const start = performance.now();
for (const specifier of process.argv.slice(2)) {
  await import(specifier);
}
const ms = Number((performance.now() - start).toFixed(2));

serveParent<ImportingProcess>({ ms: () => ms });
