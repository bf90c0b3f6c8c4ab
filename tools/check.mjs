import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './build.mjs';
import { generated, generateInto } from './generate.mjs';
import { install, pnpm } from './install.mjs';
import { captured, node, root } from './process.mjs';
import { report } from './report.mjs';
import { filesBelow, workspaceFolders } from './workspace.mjs';

const bin = (path) => join(root, 'node_modules', path);

/** Each check is one line; the output of those that fail follows. `--report <file>` writes the result for .ci/run. */
export default async function check(args) {
  await install();
  // First, and alone: lint and packaging read what it emits.
  const types = await timed(['types', compile]);
  const others = await Promise.all([
    timed(['lint and layering', (o) => node(bin('oxlint/bin/oxlint'), ['--deny-warnings'], o)]),
    timed(['format', (o) => node(bin('@biomejs/biome/bin/biome'), ['check', '--error-on-warnings', '.'], o)]),
    timed(['dead code', (o) => node(bin('knip/bin/knip.js'), ['--no-progress'], o)]),
    timed(['generated code', generatedIsCurrent]),
    timed(['packaging', packaging]),
  ]);
  return report([types, ...others], args);
}

async function timed([name, start]) {
  const started = performance.now();
  const { code, output } = await captured(start);
  return { name, ok: code === 0, output, ms: Math.round(performance.now() - started) };
}

/** Packs what would be published and looks at it as an installer would. */
async function packaging(options) {
  const folder = join(root, '.cache/pack');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const published = workspaceFolders().filter((name) => name.startsWith('packages/') && !manifest(name).private);
  const filters = published.map((name) => `--filter=./${name}`);
  let worst = await pnpm([...filters, '-r', 'pack', `--pack-destination=${folder}`], options);
  for (const file of readdirSync(folder).map((name) => join(folder, name))) {
    worst ||= await node(bin('publint/src/cli.js'), ['run', file, '--strict'], options);
    worst ||= await node(bin('@arethetypeswrong/cli/dist/index.js'), [file, '--profile', 'esm-only'], options);
  }
  return worst;
}

/** Generates into a cache folder and compares, so that a changed .proto cannot be forgotten. */
async function generatedIsCurrent(options) {
  let worst = 0;
  for (const target of generated()) {
    const committed = join(root, target.folder);
    const fresh = join(root, '.cache/generated', target.folder);
    worst ||= await generateInto(fresh, target, options);
    const files = new Set([...filesBelow(committed), ...filesBelow(fresh)]);
    for (const file of files) {
      if (contents(join(committed, file)) === contents(join(fresh, file))) continue;
      options.onOutput(Buffer.from(`${target.folder}/${file} is not what the .proto gives: npm run generate\n`));
      worst ||= 1;
    }
  }
  return worst;
}

function contents(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}
