import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { authority, type Certificate, certificateOf } from '../certificates.js';
import { startEchoHost } from '../echo-host.js';
import { EXPECTED, LANGUAGES, runClient, saySkipped } from './languages.js';

describe.each(Object.entries(LANGUAGES))('a client in %s', (language, { packages, isInstalled, prepare }) => {
  if (!isInstalled) {
    saySkipped(language);
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

      const stdout = await runClient(command, host.port, isTls ? trusted : undefined);

      expect(`${language}\n${stdout}`).toBe(`${language}\n${EXPECTED}`);
    },
    90_000,
  );
});
