import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as installed from '@grpc-di/call-context';
import * as opener from '@grpc-di/call-context/opener';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
let copyFolder: string;
let copy: typeof installed;
let openerCopy: typeof opener;

beforeAll(async () => {
  copyFolder = mkdtempSync(join(tmpdir(), 'call-context-'));
  for (const part of ['package.json', 'dist']) {
    cpSync(join(packageFolder, part), join(copyFolder, part), { recursive: true });
  }
  copy = await import(pathToFileURL(join(copyFolder, 'dist/index.js')).href);
  openerCopy = await import(pathToFileURL(join(copyFolder, 'dist/opener.js')).href);
});
afterAll(() => {
  rmSync(copyFolder, { recursive: true });
});

test('they are two', () => {
  expect(copy.runInCallContext).not.toBe(installed.runInCallContext);
  expect(openerCopy.CallContextScope).not.toBe(opener.CallContextScope);
});

test('a context that one opened is found by the other', async () => {
  await installed.runInCallContext({}, async (context) => {
    await immediate();
    expect(copy.currentCallContext()).toBe(context);
    expect(copy.requireCallContext()).toBe(context);
    expect(copy.runDetached(() => installed.currentCallContext())).toBeUndefined();
  });
  await copy.runInCallContext({}, async (context) => {
    await immediate();
    expect(installed.currentCallContext()).toBe(context);
  });
});

test('they share the storage under its agreed name', () => {
  const key = Symbol.for('@grpc-di/call-context@1');
  const storage = (globalThis as unknown as Record<symbol, { getStore(): unknown }>)[key]!;
  const scope = new openerCopy.CallContextScope({});

  expect(scope.run(() => storage.getStore())).toBe(scope);
});

test("a scope of one takes the other's context for its parent; cancellation crosses both ways", () => {
  const outer = new opener.CallContextScope({ timeoutMs: 60_000, name: '/shop.Orders/Get' });
  const middle = new openerCopy.CallContextScope({ parent: outer.context });
  const inner = middle.run(() =>
    installed.runInCallContext({}, () => new opener.CallContextScope({ parent: middle.context })),
  );
  const { signal } = inner;

  outer.cancel(4, 'too late');

  expect(middle.deadline).toBe(outer.deadline);
  expect(middle.reason).toBeInstanceOf(copy.CallCancelledError);
  expect(middle.reason!.cause).toBe(outer.reason);
  expect(signal.reason).toBeInstanceOf(installed.CallCancelledError);
  expect(signal.reason).toMatchObject({ code: 4, cause: middle.reason });
});

test('the parent of one keeps nothing of what the other ended in it', () => {
  const parent = new opener.CallContextScope({});

  parent.run(() => copy.runInCallContext({}, () => expect(parent.subscriberCount).toBe(1)));

  expect(parent.subscriberCount).toBe(0);
});

test("a signal's reason passes its code on from one to the other", () => {
  const scope = new opener.CallContextScope({});
  scope.cancel(4, 'too late');

  expect(new openerCopy.CallContextScope({ signal: scope.signal }).cancellationCode).toBe(4);
});
