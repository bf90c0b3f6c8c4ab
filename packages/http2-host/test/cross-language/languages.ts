import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// The tests run from the emitted code, which is beside the sources' folder.
const FIXTURES = fileURLToPath(new URL('../../test/cross-language/fixtures/', import.meta.url));

/** A language that has a gRPC client in `fixtures`. */
export interface Language {
  readonly packages: string;
  readonly isInstalled: boolean;
  /** Makes the client; returns the command that runs it. */
  readonly prepare: (folder: string) => string[];
}

// Debian's packages belong to Debian's Python.
const PYTHON = '/usr/bin/python3';
const GO_SOURCES = '/usr/share/gocode';

export const LANGUAGES: Record<string, Language> = {
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

/** What a client prints whose calls all succeeded. */
export const EXPECTED = 'unary a\nserverStream a a a\nclientStream 2\nbidi a a\nmore 100\n';

/** Resolves to what the client prints. */
export async function runClient(command: string[], port: number, authorityFile?: string): Promise<string> {
  const [file, ...parameters] = [
    ...command,
    `127.0.0.1:${port}`,
    ...(authorityFile === undefined ? [] : [authorityFile]),
  ];
  const { stdout } = await promisify(execFile)(file!, parameters, { timeout: 60_000 });
  return stdout;
}

/** Not console: jest keeps that back for files whose tests are all skipped. */
export function saySkipped(language: string): void {
  process.stderr.write(
    `SKIPPED: tests with clients in ${language}, which need Debian's ${LANGUAGES[language]!.packages}.\n`,
  );
}
