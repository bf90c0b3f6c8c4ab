import { join } from 'node:path';
import build from './build.mjs';
import { node, root } from './process.mjs';

export default async function start(args) {
  const failed = await build();
  if (failed) return failed;
  return node(join(root, 'examples/nested-services/dist/main.js'), args, { nodeArgs: ['--enable-source-maps'] });
}
