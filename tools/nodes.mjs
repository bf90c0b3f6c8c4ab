import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import build from './build.mjs';
import { captured, npm, root } from './process.mjs';
import { report } from './report.mjs';
import { jest } from './test.mjs';

const supported = ['20', '22', '24', '26'];

// What a browser or nginx does is the same on every Node.
const elsewhere = ['--testPathIgnorePatterns', '/dist-test/(.*/)?(browser|nginx)/'];

/** Runs every test on several Node versions: `npm run test:nodes -- 22 24`. npm carries Node's own binaries. */
export default async function nodes(args) {
  const at = args.indexOf('--report');
  const wanted = (at === -1 ? args : args.toSpliced(at, 2)).filter((arg) => arg !== '--');
  const versions = wanted.length > 0 ? wanted : supported;
  const results = [];
  if (await build()) {
    results.push(
      ...versions.map((version) => ({ name: `Node ${version}`, ok: false, output: '', ms: 0, note: 'did not build' })),
    );
  } else {
    // One after the other: tests about time do not like company.
    for (const version of versions) results.push(await testOn(version));
  }
  return report(results, args);
}

async function testOn(version) {
  const started = performance.now();
  const { code, output } = await captured(async (options) => {
    const binary = await nodeBinary(version, options);
    // One worker, for the same reason: the tests start processes of their own.
    return binary === undefined ? 1 : jest(['--maxWorkers=1', ...elsewhere], { ...options, node: binary });
  });
  const ms = Math.round(performance.now() - started);
  const note = /^Tests: +(.*)$/m.exec(output)?.[1] ?? 'did not run';
  return { name: `Node ${version}`, ok: code === 0, output, ms, note };
}

async function nodeBinary(version, options) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join(root, '.cache/nodes', version);
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error', '--force'];
    const code = await npm(['install', ...quiet, `--prefix=${folder}`, `${name}@${version}`], {
      ...options,
      cwd: folder,
    });
    if (code !== 0 || !existsSync(binary)) return undefined;
  }
  return binary;
}
