import { clientDeadline } from './client-deadline.js';
import { fanOut } from './fan-out.js';
import { inTime } from './in-time.js';
import { noPropagation } from './no-propagation.js';
import { ownDeadline } from './own-deadline.js';
import type { Scenario } from './scenario.js';
import { walkAway } from './walk-away.js';

export const scenarios: readonly Scenario[] = [inTime, clientDeadline, ownDeadline, walkAway, fanOut, noPropagation];
