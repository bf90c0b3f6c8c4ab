import type { Measurement } from '../measurement.js';
import { chain } from './chain/chain.js';
import { massCancel } from './mass-cancel/mass-cancel.js';
import { retention } from './retention/retention.js';

/** In the report's order. */
export const measurements: readonly Measurement[] = [retention, chain, massCancel];
