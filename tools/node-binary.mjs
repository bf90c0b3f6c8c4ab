import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root } from './process.mjs';

/** The Node versions that this project is for. */
export const supported = ['20', '22', '24', '26'];

/** The path of a Node of that version, which npm fetches on first use; undefined where it cannot be had. */
export async function nodeBinary(version, options) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join(root, '.cache/nodes', version);
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error', '--force'];
    const code = await npm(['install', ...quiet, `--prefix=${folder}`, `${name}@${version}`], {
      ...options,
      cwd: folder,
    });
    if (code !== 0 || !existsSync(binary)) return undefined;
  }
  return binary;
}
