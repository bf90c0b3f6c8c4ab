import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { authority, type Certificate, certificateOf } from '../certificates.js';
import { startEchoHost } from '../echo-host.js';

const run = promisify(execFile);

// The tests run from the emitted code, which is beside the sources' folder.
const FIXTURES = fileURLToPath(new URL('../../test/cross-language/fixtures/', import.meta.url));

interface Language {
  readonly packages: string;
  readonly isInstalled: boolean;
  /** Makes the client; returns the command that runs it. */
  readonly prepare: (folder: string) => string[];
}

// Debian's packages belong to Debian's Python.
const PYTHON = '/usr/bin/python3';
const GO_SOURCES = '/usr/share/gocode';

const LANGUAGES: Record<string, Language> = {
  Python: {
    packages: 'python3-grpcio',
    isInstalled: succeeds(PYTHON, ['-c', 'import grpc']),
    prepare: () => [PYTHON, join(FIXTURES, 'client.py')],
  },
  Go: {
    packages: 'golang-go and golang-google-grpc-dev',
    isInstalled: existsSync(join(GO_SOURCES, 'src/google.golang.org/grpc')) && succeeds('go', ['version']),
    prepare(folder) {
      const command = join(folder, 'client');
      const env = { ...process.env, GO111MODULE: 'off', GOPATH: GO_SOURCES, GOFLAGS: '' };
      execFileSync('go', ['build', '-o', command, join(FIXTURES, 'client.go')], { env });
      return [command];
    },
  },
};

function succeeds(command: string, parameters: string[]): boolean {
  try {
    execFileSync(command, parameters, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const EXPECTED = 'unary a\nserverStream a a a\nclientStream 2\nbidi a a\nmore 100\n';

describe.each(Object.entries(LANGUAGES))('a client in %s', (language, { packages, isInstalled, prepare }) => {
  if (!isInstalled) {
    // Not console: jest keeps that back for files whose tests are all skipped.
    process.stderr.write(`SKIPPED: tests with clients in ${language}, which need Debian's ${packages}.\n`);
    test.skip(`needs Debian's ${packages}`, () => {});
    return;
  }

  let folder: string;
  let command: string[];
  let signer: Certificate;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'http2-host-'));
    signer = await authority();
    command = prepare(folder);
    // Compiling takes its time.
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(['TLS', 'plain text'])(
    'calls rpcs of all kinds, and a hundred more, over %s',
    async (security) => {
      const isTls = security === 'TLS';
      await using host = await startEchoHost({ tls: isTls ? await certificateOf('server', signer) : undefined });
      const trusted = join(folder, 'authority.pem');
      writeFileSync(trusted, signer.cert);

      const [file, ...parameters] = [...command, `127.0.0.1:${host.port}`, ...(isTls ? [trusted] : [])];
      const { stdout } = await run(file!, parameters, { timeout: 60_000 });

      expect(`${language}\n${stdout}`).toBe(`${language}\n${EXPECTED}`);
    },
    90_000,
  );
});
