import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface InstalledSize {
  /** The sum of the files' lengths. */
  readonly bytes: number;
  readonly files: number;
  /** With their versions, the asked for and all that they need. */
  readonly packages: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * What the packages bring along that `names` are, found from `folder` as Node finds them: with their dependencies and
 * their peers, unless those are optional. A version counts once, however often it is linked.
 *
 * @throws Error for a package that is needed and not installed.
 */
export function installedSize(names: readonly string[], folder: string): InstalledSize {
  const found = new Map<string, FileSizes>();
  const visited = new Set<string>();

  function visit(name: string, from: string, isOptional = false): void {
    const home = packageFolder(name, from);
    if (home === undefined) {
      if (isOptional) {
        return;
      }
      throw new Error(`${name}, which ${from} needs, is not installed`);
    }
    if (visited.has(home)) {
      return;
    }
    visited.add(home);
    const manifest: Manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    found.set(`${manifest.name}@${manifest.version}`, sizesOf(home, manifest));

    const { optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
    for (const dependency of Object.keys({ ...manifest.dependencies, ...optionalDependencies })) {
      visit(dependency, home, dependency in optionalDependencies);
    }
    for (const peer of Object.keys(peerDependencies)) {
      if (peerDependenciesMeta[peer]?.optional !== true) {
        visit(peer, home);
      }
    }
  }

  const start = realpathSync(folder);
  for (const name of names) {
    visit(name, start);
  }
  return {
    bytes: sum([...found.values()].map(({ bytes }) => bytes)),
    files: sum([...found.values()].map(({ files }) => files)),
    packages: [...found.keys()].sort(),
  };
}

/** Not `require.resolve`: `exports` may hide the package.json. */
function packageFolder(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) {
      return realpathSync(candidate);
    }
    if (folder === dirname(folder)) {
      return undefined;
    }
  }
}

interface FileSizes {
  readonly bytes: number;
  readonly files: number;
}

function sizesOf(home: string, { files = [] }: Manifest): FileSizes {
  if (home.includes('node_modules')) {
    return sizesBelow(home, () => true);
  }
  // A package of this workspace: what `npm pack` would take, which takes these three always.
  const published = new Set(['package.json', 'README.md', 'LICENSE', ...files]);
  return sizesBelow(home, (path) => published.has(path.split('/')[0]!) && !published.has(`!${path}`));
}

function sizesBelow(home: string, counts: (path: string) => boolean, folder = ''): FileSizes {
  let bytes = 0;
  let files = 0;
  for (const entry of readdirSync(join(home, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.name === 'node_modules' || !counts(path)) {
      continue;
    }
    if (entry.isDirectory()) {
      const below = sizesBelow(home, counts, path);
      bytes += below.bytes;
      files += below.files;
    } else {
      bytes += lstatSync(join(home, path)).size;
      files++;
    }
  }
  return { bytes, files };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
