import build from './build.mjs';
import { nodeBinary, supported } from './node-binary.mjs';
import { captured } from './process.mjs';
import { report } from './report.mjs';
import { jest } from './test.mjs';

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
