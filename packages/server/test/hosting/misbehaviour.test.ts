import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';

// In a process of its own: jest hides warnings, and handles unhandled rejections itself.
test('methods that fail and clients that leave cost the process neither its life nor a warning, and hang nobody', async () => {
  const program = fileURLToPath(new URL('./fixtures/misbehaving-services.js', import.meta.url));

  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { timeout: 50_000 });

  expect(stderr).toBe('');
  const statuses = JSON.parse(stdout) as Record<string, status[]>;
  expect(new Set(statuses['patient'])).toEqual(new Set([status.OK, status.UNKNOWN, status.NOT_FOUND]));
  for (const sort of ['hasty', 'cut', 'cancelling']) {
    expect(statuses[sort]).toHaveLength(statuses['patient']!.length);
  }
}, 60_000);
