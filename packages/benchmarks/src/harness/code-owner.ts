import { fileURLToPath } from 'node:url';
import type { ProfiledFunction } from './profiled-function.js';

/** Folders of this workspace's packages, whose code a profile shows under its path. */
const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));

/** The package that a function is in, or what of Node and V8 it belongs to. */
export function ownerOf({ function: name, url }: ProfiledFunction): string {
  if (url === '') {
    return name.startsWith('(') ? `V8 ${name}` : 'native code of Node and V8';
  }
  if (url.startsWith('node:')) {
    return 'Node';
  }
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (installed !== null) {
    return installed[1]!;
  }
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return path.startsWith(PACKAGES) ? `packages/${path.slice(PACKAGES.length).split('/')[0]!}` : path;
}

/** Whether it is one of the project's packages that are measured. */
export function isOurs(owner: string): boolean {
  return owner.startsWith('packages/') && owner !== 'packages/benchmarks';
}

/** Where a function of the project is: `server/dist/hosting/handler.js:12`. */
export function placeOf({ url, line }: ProfiledFunction): string {
  return `${fileURLToPath(url).slice(PACKAGES.length)}:${line}`;
}
