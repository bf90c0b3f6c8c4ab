import type { Measurement } from '../measurement.js';

/** In the report's order. */
export const measurements: readonly Measurement[] = [];
