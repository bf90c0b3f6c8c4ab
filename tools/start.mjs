import { join } from 'node:path';
import build from './build.mjs';
import { node, root } from './process.mjs';

const DEMO = 'examples/nested-services';

export default async function start(args) {
  const failed = await build([], { project: DEMO });
  if (failed) return failed;
  return node(join(root, DEMO, 'dist/main.js'), args, { nodeArgs: ['--enable-source-maps'] });
}
