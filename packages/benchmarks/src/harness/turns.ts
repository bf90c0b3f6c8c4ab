/** Who takes part, and how often: in every round, or in every second, third ... one. */
export interface Turn<Name extends string> {
  readonly name: Name;
  readonly everyRounds: number;
}

/**
 * Lets all take a short turn per round, in an order that is drawn anew for each, so that whatever else the machine does
 * meets all alike.
 */
export async function takeTurns<Name extends string>(
  turns: readonly Turn<Name>[],
  rounds: number,
  take: (name: Name, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const present = turns.filter(({ everyRounds }) => round % everyRounds === 0);
    for (const { name } of shuffled(present)) {
      await take(name, round);
    }
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
