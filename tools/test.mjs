import { join } from 'node:path';
import build from './build.mjs';
import { node, root } from './process.mjs';

export default async function test(args) {
  const failed = await build();
  if (failed) return failed;
  return jest(args);
}

/** Runs jest on what was built, on this Node or on the one in `options.node`. */
export function jest(args, options) {
  return node(join(root, 'node_modules/jest/bin/jest.js'), args, {
    ...options,
    // jest's workers inherit both.
    nodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  });
}
