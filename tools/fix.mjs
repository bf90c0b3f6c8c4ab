import { join } from 'node:path';
import { install } from './install.mjs';
import { node, root } from './process.mjs';

export default async function fix() {
  await install();
  const lint = await node(join(root, 'node_modules/oxlint/bin/oxlint'), ['--fix']);
  const format = await node(join(root, 'node_modules/@biomejs/biome/bin/biome'), ['check', '--write', '.']);
  return lint || format;
}
