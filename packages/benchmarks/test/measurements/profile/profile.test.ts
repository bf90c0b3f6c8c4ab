import { expect, test } from '@jest/globals';
import type { Table } from '../../../dist/measurement.js';
import { profile } from '../../../dist/measurements/profile/profile.js';

test('the profile tells the share of the project, and its functions by file', async () => {
  const version = process.versions.node.split('.')[0]!;
  const nodes = [{ version, path: process.execPath }];

  const { results } = await profile.run({ quick: true, nodes, progress: () => {} });

  expect(results.map(({ node }) => node)).toEqual([version]);
  const { profiled } = results[0]!;

  const ofUs = profiled.find(({ name }) => name === 'grpc-di')!;
  expect(ofUs.calls).toBeGreaterThan(0);
  expect(Object.keys(ofUs.byOwner)).toEqual(
    expect.arrayContaining(['Node', '@grpc/grpc-js', 'packages/client-factory']),
  );
  expect(ofUs.own.map(({ file }) => file).join()).toMatch(/client-factory\/dist\/\S+\.js:\d+/);
  const byHand = profiled.find(({ name }) => name === 'grpc-js-deadline')!;
  expect(byHand.own).toEqual([]);
  const [, heading, byOwner] = profile.report({ results }).blocks as [string, string, Table];
  expect(heading).toBe(`### Node ${version}`);
  expect(byOwner.rows.map(([owner]) => owner)).toContain("the project's packages together");
}, 30_000);
