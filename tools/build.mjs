import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './install.mjs';
import { node, root } from './process.mjs';
import { filesBelow, workspaceFolders } from './workspace.mjs';

/** Installs if needed and compiles what has changed, all of it or one project; resolves to tsc's exit code. */
export default async function build(args, options) {
  await install();
  return compile(options);
}

/** `project` is a folder with a tsconfig.json, below the root; what it references is compiled with it. */
export async function compile({ project = '.', ...options } = {}) {
  prune();
  return node(join(root, 'node_modules/typescript/bin/tsc'), ['-b', join(root, project)], options);
}

// tsc leaves the output of a deleted or renamed source behind: jest would run it, and a package would ship it. What tsc
// knows of that folder goes too: it would not write the output again should the source come back as it was.
function prune() {
  for (const folder of workspaceFolders()) {
    pruneOutput(join(root, folder, 'dist'), join(root, folder, 'src'));
    pruneOutput(join(root, folder, 'dist-test'), join(root, folder, 'test'));
  }
}

function pruneOutput(output, source) {
  for (const file of filesBelow(output)) {
    const stem = file.replace(/(\.d)?\.ts(\.map)?$|\.js(\.map)?$/, '');
    if (stem !== file && !existsSync(join(source, `${stem}.ts`))) {
      rmSync(join(output, file));
      rmSync(join(output, '.tsbuildinfo'), { force: true });
    }
  }
}
