import type { Measurement } from '../measurement.js';
import { chain } from './chain/chain.js';
import { importTime } from './import-time/import-time.js';
import { installSize } from './install-size/install-size.js';
import { massCancel } from './mass-cancel/mass-cancel.js';
import { nestedUnary } from './nested-unary/nested-unary.js';
import { nodeVersions } from './node-versions/node-versions.js';
import { overload } from './overload/overload.js';
import { profile } from './profile/profile.js';
import { retention } from './retention/retention.js';
import { simulation } from './simulation/simulation.js';
import { startUp } from './start-up/start-up.js';
import { streaming } from './streaming/streaming.js';
import { stubOverhead } from './stub-overhead/stub-overhead.js';

/** In the report's order. */
export const measurements: readonly Measurement[] = [
  nestedUnary,
  nodeVersions,
  streaming,
  stubOverhead,
  profile,
  retention,
  chain,
  massCancel,
  overload,
  simulation,
  startUp,
  importTime,
  installSize,
];
