import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

test("the package's declarations fit inversify 7", async () => {
  const tsc = fileURLToPath(new URL('../../../../node_modules/typescript/bin/tsc', import.meta.url));
  const project = fileURLToPath(new URL('../../test/inversify-7/project', import.meta.url));

  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', project]).catch((error) => error);

  expect(stdout).toBe('');
}, 60_000);
