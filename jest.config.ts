/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

// The tests run what `tsc -b` emitted, which is what gets published; source maps lead frames and coverage back to the .ts files.
const config: Config = {
  testEnvironment: 'node',
  // Tests import what they use. Observable Plot takes a global `it` for a sign of snapshots, and draws half a pixel aside.
  injectGlobals: false,
  transform: {},
  testMatch: ['<rootDir>/packages/*/dist-test/**/*.test.js', '<rootDir>/examples/*/dist-test/**/*.test.js'],
  modulePathIgnorePatterns: ['<rootDir>/\\.cache/'],
  coverageProvider: 'v8',
  collectCoverageFrom: ['packages/*/dist/**/*.js', '!**/generated/**'],
  maxWorkers: '100%',
};

export default config;
