import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianProgram } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';
import { authority, type Certificate, certificateOf } from '../certificates.js';
import { askHttp1 } from '../clients.js';
import { EXPECTED, LANGUAGES, runClient, saySkipped } from '../cross-language/languages.js';
import { type EchoHost, sayWhatWasAsked, startEchoHost } from '../echo-host.js';

const PAGES = 5;
const FETCHES = 50;

const executablePath = debianProgram('chromium');

(executablePath === undefined ? describe.skip : describe)('in Chromium (Debian package chromium)', () => {
  const languages = Object.keys(LANGUAGES).filter((language) => LANGUAGES[language]!.isInstalled);
  for (const language of Object.keys(LANGUAGES)) {
    if (!languages.includes(language)) {
      saySkipped(language);
      test.skip(`needs Debian's ${LANGUAGES[language]!.packages}`, () => {});
    }
  }

  let folder: string;
  let trusted: string;
  let signer: Certificate;
  let host: EchoHost;
  let browser: Browser;
  let commands: string[][];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'http2-host-'));
    trusted = join(folder, 'authority.pem');
    signer = await authority();
    writeFileSync(trusted, signer.cert);
    host = await startEchoHost({ tls: await certificateOf('server', signer), http: servePage });
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
    commands = languages.map((language) => LANGUAGES[language]!.prepare(folder));
    // Compiling takes its time.
  }, 300_000);

  afterAll(async () => {
    await browser?.close();
    await host?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test(`one TLS port serves the browser, HTTP/1.1, and gRPC clients (${languages.join(', ')}) at once`, async () => {
    let isBrowserDone = false;
    const whileBrowsing = async <T>(ask: () => Promise<T>): Promise<T[]> => {
      const answers: T[] = [];
      do {
        answers.push(await ask());
      } while (!isBrowserDone);
      return answers;
    };

    const [pages, http1, ...printed] = await Promise.all([
      browse().finally(() => {
        isBrowserDone = true;
      }),
      whileBrowsing(askOverHttp1),
      ...commands.map((command) => whileBrowsing(() => runClient(command, host.port, trusted))),
    ]);

    const fetched = Array.from({ length: FETCHES }, (_, index) => `POST /fetched/${index} 2.0 3`);
    expect(pages).toEqual(Array.from({ length: PAGES }, () => ({ protocol: 'h2', fetched })));
    expect(new Set(http1)).toEqual(new Set(['1.1 GET /one 1.1 0']));
    for (const [index, language] of languages.entries()) {
      expect([language, new Set(printed[index])]).toEqual([language, new Set([EXPECTED])]);
    }
  }, 120_000);

  /** Loads the page again and again, each time on a connection of its own, and fetches from it. */
  async function browse(): Promise<{ protocol: string; fetched: string[] }[]> {
    const pages: { protocol: string; fetched: string[] }[] = [];
    while (pages.length < PAGES) {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const tab = await context.newPage();
      await tab.goto(`https://127.0.0.1:${host.port}/page`);
      const protocol = await tab.evaluate<string>(`performance.getEntriesByType('navigation')[0].nextHopProtocol`);
      const fetched = await tab.evaluate<string[]>(`Promise.all(Array.from({ length: ${FETCHES} }, async (_, index) =>
        (await fetch('/fetched/' + index, { method: 'POST', body: 'abc' })).text()))`);
      pages.push({ protocol, fetched });
      await context.close();
    }
    return pages;
  }

  async function askOverHttp1(): Promise<string> {
    // By ALPN, as other clients do, and on a connection of its own.
    const agent = new Agent({ ALPNProtocols: ['http/1.1'] });
    const { version, body } = await askHttp1(host.port, { path: '/one', agent }, { ca: signer.cert });
    return `${version} ${body}`;
  }
});

const servePage: RequestListener = (request, response) => {
  if (request.url === '/page') {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><link rel="icon" href="data:,"><title>One port</title>');
  } else {
    sayWhatWasAsked(request, response);
  }
};
