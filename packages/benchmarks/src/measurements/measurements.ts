import type { Measurement } from '../measurement.js';
import { chain } from './chain/chain.js';
import { importTime } from './import-time/import-time.js';
import { installSize } from './install-size/install-size.js';
import { massCancel } from './mass-cancel/mass-cancel.js';
import { retention } from './retention/retention.js';
import { startUp } from './start-up/start-up.js';

/** In the report's order. */
export const measurements: readonly Measurement[] = [retention, chain, massCancel, startUp, importTime, installSize];
