import { debianProgram } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { deepest, outcomes } from '../reports.js';
import { type RunningGateway, startGateway } from '../running-gateway.js';

// A browser and five processes are started here, on a machine that may run as many test files as it has cores.
jest.setTimeout(90_000);

const executablePath = debianProgram('chromium');

(executablePath === undefined ? describe.skip : describe)('in Chromium (Debian package chromium)', () => {
  let gateway: RunningGateway;
  let browser: Browser;

  beforeAll(async () => {
    [gateway, browser] = await Promise.all([startGateway(), startBrowser()]);
  });

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
  });

  afterAll(async () => {
    await Promise.all([browser?.close(), gateway?.[Symbol.asyncDispose]()]);
  });

  test('in time: every call of the tree is done, and nothing comes from elsewhere', async () => {
    const tab = await openTab();
    const foreign: string[] = [];
    tab.on('request', (request) => {
      if (!request.url().startsWith(gateway.url)) {
        foreign.push(request.url());
      }
    });

    const id = await start(tab);
    await tab.getByText(/^200 OK: Lisbon/).waitFor();

    expect(outcomes(await gateway.reports.untilOver(id))).toEqual({ OK: 13 });
    await tab.getByText(/^Answered in \d+ ms, after 12 gRPC calls\.$/).waitFor();
    expect(await states(tab)).toEqual({ done: 13 });
    expect(foreign).toEqual([]);
  });

  test('Cancel: stops the deepest service, and the page says how soon every level stopped', async () => {
    const tab = await openTab();
    const id = await start(tab);
    await gateway.reports.untilDeepest(id);

    await tab.getByRole('button', { name: 'Cancel' }).click();

    const calls = await gateway.reports.untilOver(id);
    expect(deepest(calls)!.end).toMatchObject({ outcome: 'CANCELLED' });
    await tab.getByText(/^Cancelled \(after \d+ ms\)$/).waitFor();
    await tab
      .getByText(/^Everything stopped after the click: level 1 in \d+ ms, level 2 in \d+ ms, level 3 in \d+ ms\.$/)
      .waitFor();
    const { done: _, cancelled, ...others } = await states(tab);
    expect(others).toEqual({});
    expect(cancelled).toBeGreaterThan(3);
  });

  test('closing the tab: stops the deepest service, and another tab sees it', async () => {
    const [tab, other] = [await openTab(), await openTab()];
    const id = await start(tab);
    await gateway.reports.untilDeepest(id);
    await other.locator(`[data-request="${id}"] [data-service=rates][data-state=running]`).first().waitFor();

    await tab.close();

    const calls = await gateway.reports.untilOver(id);
    expect(deepest(calls)!.end).toMatchObject({ outcome: 'CANCELLED' });
    const card = other.locator(`[data-request="${id}"]`);
    await card.getByText(/^Another tab/).waitFor();
    await card.getByText(/^Everything stopped after the client left: level 1 in .* level 3 in .*\.$/).waitFor();
  });

  test('the deadline: is answered with 504, and ends the deepest service', async () => {
    const tab = await openTab();
    await tab.getByLabel('Deadline').fill('1500');

    const id = await start(tab);

    await tab.getByText(/^504 Gateway Timeout: DEADLINE_EXCEEDED \(after \d+ ms\)$/).waitFor();
    const calls = await gateway.reports.untilOver(id);
    expect(deepest(calls)!.end).toMatchObject({ outcome: 'DEADLINE_EXCEEDED' });
    await tab.getByText(/^Everything stopped after the deadline: level 1 in .* level 3 in .*\.$/).waitFor();
    const { done: _, deadline, ...others } = await states(tab);
    expect(others).toEqual({});
    expect(deadline).toBeGreaterThan(3);
  });

  test('a tab that is opened later shows what was before', async () => {
    const tab = await openTab();
    const id = await start(tab);
    await gateway.reports.untilDeepest(id);

    const later = await openTab();

    await later.locator(`[data-request="${id}"] [data-service=rates]`).first().waitFor();
  });

  async function openTab(): Promise<Page> {
    const [context = await browser.newContext()] = browser.contexts();
    const tab = await context.newPage();
    await tab.goto(gateway.url);
    return tab;
  }

  /** Resolves to the id of the request. */
  async function start(tab: Page): Promise<string> {
    const request = tab.waitForRequest(/\/api\/trips\//);
    await tab.getByRole('button', { name: 'Plan a trip' }).click();
    // Not headerValue(): that waits for the response.
    return (await request).headers()['x-request-id']!;
  }

  /** How many calls of the newest request the page shows in each state. */
  async function states(tab: Page): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const row of await tab.locator('article').first().locator('tbody tr').all()) {
      const state = (await row.getAttribute('data-state'))!;
      counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  }
});

function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
