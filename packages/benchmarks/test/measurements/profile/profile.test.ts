import { expect, test } from '@jest/globals';
import type { Table } from '../../../dist/measurement.js';
import { profile } from '../../../dist/measurements/profile/profile.js';

test('the profile tells the share of the project, and its functions by file', async () => {
  const { profiled } = await profile.run({ quick: true, nodes: [], progress: () => {} });

  const ofUs = profiled.find(({ name }) => name === 'grpc-di')!;
  expect(ofUs.calls).toBeGreaterThan(0);
  expect(Object.keys(ofUs.byOwner)).toEqual(
    expect.arrayContaining(['Node', '@grpc/grpc-js', 'packages/client-factory']),
  );
  expect(ofUs.own.map(({ file }) => file).join()).toMatch(/client-factory\/dist\/\S+\.js:\d+/);
  const byHand = profiled.find(({ name }) => name === 'grpc-js-deadline')!;
  expect(byHand.own).toEqual([]);
  const [, byOwner] = profile.report({ profiled }).blocks as [string, Table];
  expect(byOwner.rows.map(([owner]) => owner)).toContain("the project's packages together");
}, 30_000);
