import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

// grpc-js-xds has one xds server for the whole process, and keeps that alive.

const fixture = fileURLToPath(new URL('./fixtures/xds-call.js', import.meta.url));

test.each([
  ['knowing', 60_000, /^answered by home\n$/],
  ['silent', 200, /^Error: 4 DEADLINE_EXCEEDED: Deadline exceeded .*\(the call's own deadline\)\n$/],
])(
  'a call through xds, with a %s xds server and %d ms',
  async (xdsServer, timeoutMs, outcome) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [fixture, xdsServer, String(timeoutMs)]);

    expect(stderr).toBe('');
    expect(stdout).toMatch(outcome);
  },
  60_000,
);
