import type { OrderPlaced } from './orders.js';
import type { Impatience, Leaving } from './scenes.js';

export interface Played {
  readonly placed: readonly OrderPlaced[];
  readonly impatient: Impatience;
  readonly leaving: Leaving;
  readonly exitCodes: ReadonlyArray<number | null>;
}

/** What happened, in words, and which of the expectations did not come true. */
export function summary({ placed, impatient, leaving, exitCodes }: Played): {
  text: string[];
  broken: string[];
} {
  const failed = placed.filter(({ outcome }) => outcome !== 'OK').length;
  const slowest = Math.max(...placed.map(({ ms }) => ms));
  const latest = Math.max(...impatient.placed.map(({ ms }) => ms));
  const expectations = {
    'no order fails': failed === 0,
    'both instances in Europe, the US and the tenant took part': ['eu-1', 'eu-2', 'us', 'acme'].every((instance) =>
      placed.some(({ reservedBy }) => reservedBy.includes(instance)),
    ),
    'the impatient orders end with DEADLINE_EXCEEDED': impatient.placed.every(
      ({ outcome }) => outcome === 'DEADLINE_EXCEEDED',
    ),
    // Of 400 ms; the machine may be busy. On its own checkout would wait for 6 s.
    'they end at their deadline': latest < 3_000,
    'so does the work on them': impatient.stoppedMs < 3_000,
    'the order under way at the SIGTERM finishes': leaving.underWay.outcome === 'OK',
    'one after it is refused': leaving.tooLate.outcome === 'UNAVAILABLE',
    'every service that is told to leave ends with 0': exitCodes.every((code) => code === 0),
  };
  return {
    text: [
      `${placed.length} orders, ${failed} failed: ${counts(placed)}.`,
      `An instance died under them; the slowest took ${slowest} ms of its 4000.`,
      `${impatient.placed.length} orders had 400 ms for 10 s of work: over after ${latest} ms, their work after ${impatient.stoppedMs} ms.`,
      `Checkout got SIGTERM: its order under way is ${leaving.underWay.outcome}, the next one ${leaving.tooLate.outcome}.`,
      `Exit codes after SIGTERM: ${exitCodes.join(', ')}.`,
    ],
    broken: Object.entries(expectations).flatMap(([expectation, holds]) => (holds ? [] : [expectation])),
  };
}

/** How many orders each instance took part in. */
function counts(placed: readonly OrderPlaced[]): string {
  const byInstance = new Map<string, number>();
  for (const instance of placed.flatMap(({ reservedBy }) => reservedBy)) {
    byInstance.set(instance, (byInstance.get(instance) ?? 0) + 1);
  }
  return [...byInstance]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([instance, count]) => `${instance} ${count}`)
    .join(', ');
}
