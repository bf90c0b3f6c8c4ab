import { join } from 'node:path';
import build from './build.mjs';
import { nodeBinary, supported } from './node-binary.mjs';
import { node, root } from './process.mjs';

// What needs no other Node than this one, nor a download.
const here = ['--quick', '--report', '--list', '--help', '-h'];

/** Builds and runs packages/benchmarks on this Node, and gives it the other Node versions to compare. */
export default async function bench(args) {
  const failed = await build([], { project: 'packages/benchmarks' });
  if (failed) return failed;
  const nodes = [];
  if (!args.some((arg) => here.includes(arg))) {
    const running = process.versions.node.split('.')[0];
    for (const version of supported.filter((each) => each !== running)) {
      const binary = await nodeBinary(version);
      if (binary === undefined) {
        console.error(
          `There is no Node ${version} to compare with. \`npm run bench -- --quick\` needs this Node only.`,
        );
        return 1;
      }
      nodes.push(`--node=${version}=${binary}`);
    }
  }
  return node(join(root, 'packages/benchmarks/dist/main.js'), [...nodes, ...args]);
}
