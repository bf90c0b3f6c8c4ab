import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const root = new URL('../../../', import.meta.url);

/** The rows of the tables with a column "shown by": what .NET has, what is here, the tests. */
const rows = readFileSync(new URL('docs/from-dotnet.md', root), 'utf8')
  .split('\n## ')
  .filter((section) => section.includes('| shown by |'))
  .flatMap((section) => section.split('\n').filter((line) => /^\| (?!\.NET \|)/.test(line)))
  .map((line) => line.slice(2).split(' |'));

function isThere(name: string): boolean {
  return [`packages/client-factory/test/${name}`, `packages/${name}`, name].some((path) =>
    ['.test.ts', '.ts'].some((ending) => existsSync(new URL(path + ending, root))),
  );
}

test('docs/from-dotnet.md names tests that there are, or says why there is none', () => {
  expect(rows.length).toBeGreaterThan(60);
  for (const [feature, here, shownBy] of rows) {
    const names = [...shownBy!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    expect({ feature, missing: names.filter((name) => !isThere(name)) }).toEqual({ feature, missing: [] });
    expect({ feature, shown: names.length > 0 || /left out|grpc-js's affair/.test(here!) }).toEqual({
      feature,
      shown: true,
    });
  }
});
