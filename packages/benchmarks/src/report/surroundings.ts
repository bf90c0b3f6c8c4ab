import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';

/** What a measurement's numbers depend on beside the measured. */
export interface Surroundings {
  /** Of the Node that ran the measurements, such as `v20.20.0`. */
  readonly node: string;
  readonly cpu: { readonly model: string; readonly count: number };
  /** Such as `Linux 6.12.1 x64`. */
  readonly os: string;
  /** In GiB. */
  readonly memory: number;
  /** The measured packages' versions by their names. */
  readonly versions: Readonly<Record<string, string>>;
}

export function surroundings(): Surroundings {
  const processors = cpus();
  return {
    node: process.version,
    cpu: { model: processors[0]?.model.trim() ?? 'unknown', count: processors.length },
    // Without what a distribution adds to the number.
    os: `${type()} ${/^[\d.]*\d/.exec(release())?.[0] ?? release()} ${arch()}`,
    memory: Math.round(totalmem() / 2 ** 30),
    versions: versions(),
  };
}

// In the manifest of this package, `dependencies` is what is measured, `devDependencies` what measures and draws.
function versions(): Record<string, string> {
  const { dependencies } = manifest('package.json');
  return Object.fromEntries(
    Object.keys(dependencies ?? {})
      .sort()
      .map((name) => [name, manifest(`node_modules/${name}/package.json`).version]),
  );
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

// Read as a file: many packages do not export theirs.
function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')) as Manifest;
}
