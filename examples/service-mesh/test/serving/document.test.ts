import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

test('docs/shutdown.md shows the code that the services here run', () => {
  const code = readFileSync(new URL('../../src/serving/shutdown.ts', import.meta.url), 'utf8');
  const document = readFileSync(new URL('../../../../docs/shutdown.md', import.meta.url), 'utf8');
  expect(document).toContain(`\`\`\`ts\n${code}\`\`\``);
});
