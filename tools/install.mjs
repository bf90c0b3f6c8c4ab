import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root } from './process.mjs';
import { workspaceFolders } from './workspace.mjs';

// 11 does not start on Node 20; 12 refuses unapproved build scripts.
const pnpmVersion = '10.34.8';
const stampFile = join(root, 'node_modules', '.grpc-di-install');

/** Installs what the lockfile says, unless that was done already; exits the process when it fails. */
export async function install() {
  const stamp = currentStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  console.log('Installing dependencies (the first time, and when the lockfile or a manifest has changed) ...');
  const code = await pnpm(['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn']);
  if (code !== 0) {
    console.error(
      'The install failed. After a change to a package.json, `npm run pnpm -- install` updates pnpm-lock.yaml.',
    );
    process.exit(code);
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stampFile, stamp);
}

export function pnpm(args, options) {
  return npm(['exec', '--yes', '--loglevel=error', '--', `pnpm@${pnpmVersion}`, ...args], options);
}

function currentStamp() {
  const hash = createHash('sha256').update(pnpmVersion);
  const manifests = workspaceFolders().map((folder) => join(folder, 'package.json'));
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}
