// The last line of .ci/run, from what its steps left in a folder: `node tools/count.mjs <folder> <worst exit code>`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, status] = process.argv.slice(2);
const counts = [tests(), results('check.json'), results('nodes.json')];
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
let failed = counts.reduce((sum, count) => sum + count.failed, 0);
// A step can fail without a failed test, as jest does when a worker crashes.
if (status !== '0' && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function tests() {
  const result = read('test.json');
  if (result === undefined) return { passed: 0, failed: 1 };
  // A file that does not load holds no tests that could fail.
  return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
}

function results(file) {
  const list = read(file);
  if (list === undefined) return { passed: 0, failed: 1 };
  const passed = list.filter(({ ok }) => ok).length;
  return { passed, failed: list.length - passed };
}

// undefined: the step did not get as far as to write it.
function read(file) {
  try {
    return JSON.parse(readFileSync(join(folder, file), 'utf8'));
  } catch {
    return undefined;
  }
}
