import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { installedSize } from '../../../dist/measurements/install-size/installed-size.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'installed-size-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('counts dependencies and peers, each version once, and what is in folders', () => {
  const bytes =
    install('node_modules/app', { dependencies: { one: '1', two: '1' } }, { 'lib/index.js': 10 }) +
    install('node_modules/one', { dependencies: { two: '1' } }, { 'index.js': 20 }) +
    install('node_modules/two', { peerDependencies: { peer: '1' } }, { 'index.js': 30 }) +
    install('node_modules/peer', {}, { 'index.js': 40 });
  install('node_modules/other', {}, { 'index.js': 1_000 });

  const size = installedSize(['app', 'one'], root);

  expect(size).toEqual({ bytes, files: 8, packages: ['app@1.0.0', 'one@1.0.0', 'peer@1.0.0', 'two@1.0.0'] });
});

test('leaves out optional peers, and optional dependencies that are not there', () => {
  install('node_modules/app', {
    optionalDependencies: { fast: '1' },
    peerDependencies: { telemetry: '1' },
    peerDependenciesMeta: { telemetry: { optional: true } },
  });
  install('node_modules/telemetry', {});

  expect(installedSize(['app'], root).packages).toEqual(['app@1.0.0']);
});

test('two versions count both, and each is found from who needs it', () => {
  install('node_modules/app', { dependencies: { one: '1', two: '2' } });
  install('node_modules/one', { dependencies: { two: '1' } });
  install('node_modules/two', { version: '2.0.0' });
  install('node_modules/one/node_modules/two', { version: '1.0.0' });

  const { packages, files } = installedSize(['app'], root);

  expect(packages).toEqual(['app@1.0.0', 'one@1.0.0', 'two@1.0.0', 'two@2.0.0']);
  expect(files).toBe(4);
});

test('of a package of the workspace it counts what would be published', () => {
  const bytes = install('packages/own', { files: ['dist', '!dist/.cache'] }, { 'dist/index.js': 50, LICENSE: 5 });
  write('packages/own/dist/.cache', 70);
  write('packages/own/test/own.test.ts', 90);
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(join(root, 'packages/own'), join(root, 'node_modules/own'));

  expect(installedSize(['own'], root)).toEqual({ bytes, files: 3, packages: ['own@1.0.0'] });
});

test('says what is needed and not there', () => {
  install('node_modules/app', { dependencies: { missing: '1' } });

  expect(() => installedSize(['app'], root)).toThrow(/^missing, which .*app needs, is not installed$/);
});

/** Gives the bytes that it wrote. */
function install(folder: string, manifest: object, files: Record<string, number> = {}): number {
  const name = folder.split('/').at(-1)!;
  const json = JSON.stringify({ name, version: '1.0.0', ...manifest });
  write(`${folder}/package.json`, json.length, json);
  let bytes = json.length;
  for (const [file, length] of Object.entries(files)) {
    write(`${folder}/${file}`, length);
    bytes += length;
  }
  return bytes;
}

function write(path: string, length: number, text = 'x'.repeat(length)): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
