import { join } from 'node:path';
import build from './build.mjs';
import { node, root } from './process.mjs';

/** Builds and runs the example in a folder below examples/. */
export default async function start(example, args) {
  const folder = join('examples', example);
  const failed = await build([], { project: folder });
  if (failed) return failed;
  return node(join(root, folder, 'dist/main.js'), args, { nodeArgs: ['--enable-source-maps'] });
}
