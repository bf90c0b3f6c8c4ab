import type { Measurement } from '../measurement.js';
import { importTime } from './import-time/import-time.js';
import { installSize } from './install-size/install-size.js';
import { startUp } from './start-up/start-up.js';

/** In the report's order. */
export const measurements: readonly Measurement[] = [startUp, importTime, installSize];
