import { performance } from 'node:perf_hooks';
import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';
import { type RegistryName, registries } from './registries/registries.js';

/** A program that starts with many clients: `process.js <registry> <how many>`. All times in milliseconds. */
export interface RegisteringProcess extends ProcessOperations {
  register(): Promise<number>;
  resolve(): FirstResolves;
  /** All that {@link resolve} has left. */
  resolveOthers(): number;
}

export interface FirstResolves {
  readonly first: number;
  readonly same: number;
  readonly another: number;
}

const [name, count] = process.argv.slice(2);
const { registry } = await registries[name as RegistryName]();
const addresses = Array.from({ length: Number(count) }, (_, index) => `127.0.0.1:${10_000 + index}`);

serveParent<RegisteringProcess>({
  async register() {
    const start = performance.now();
    await registry.register(addresses);
    return since(start);
  },

  resolve: () => ({ first: timeToGet(0), same: timeToGet(0), another: timeToGet(1) }),

  resolveOthers() {
    const start = performance.now();
    for (let index = 2; index < addresses.length; index++) {
      registry.get(index);
    }
    return since(start);
  },
});

function timeToGet(index: number): number {
  const start = performance.now();
  const client = registry.get(index);
  const ms = since(start);
  if (client === undefined) {
    throw new Error(`There is no client ${index}`);
  }
  return ms;
}

function since(start: number): number {
  return Number((performance.now() - start).toPrecision(4));
}
