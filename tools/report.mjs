import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Prints one line per result, then the output of those that failed; resolves to the exit code. */
export function report(results, args = []) {
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, ok, ms, note = '' } of results) {
    console.log(
      `${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(width)}  ${(ms / 1000).toFixed(1).padStart(5)} s  ${note}`.trimEnd(),
    );
  }
  const failed = results.filter(({ ok }) => !ok);
  for (const { name, output } of failed) console.log(`\n--- ${name}\n${output.trimEnd()}`);

  const at = args.indexOf('--report');
  if (at !== -1) {
    const file = resolve(args[at + 1]);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(results.map(({ name, ok }) => ({ name, ok }))));
  }
  return failed.length === 0 ? 0 : 1;
}
