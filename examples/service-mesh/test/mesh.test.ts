import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, jest, test } from '@jest/globals';

// It plays for 5 s on an idle machine.
jest.setTimeout(60_000);

let result: { code: number | null; stdout: string; stderr: string };

beforeAll(async () => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const env = { ...process.env, NODE_OPTIONS: undefined };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  result = { code: await code, stdout, stderr };
});

test('all that is expected of the mesh comes true, and it ends by itself', () => {
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout).not.toMatch(/NOT SO|Error/);
});

test.each([
  [
    'no order fails while an instance dies',
    /^--- eu-1 is killed$[^]*^\d+ orders, 0 failed: acme 5, eu-1 \d+, eu-2 \d+, us \d+\.$/m,
  ],
  [
    'calls have been logged under their request',
    /^checkout {2}order-1 +Reserve eu-\d OK \d+ ms {2}Reserve us OK \d+ ms$/m,
  ],
  ['deadlines hold down to the stock', /^eu-2 +stopped looking for order-\d+: DEADLINE_EXCEEDED$/m],
  [
    'a service drains at SIGTERM',
    /^--- checkout is NOT_SERVING$[^]*order under way is OK, the next one UNAVAILABLE\.$/m,
  ],
])('it says that %s', (_what, words) => {
  expect(result.stdout).toMatch(words);
});
