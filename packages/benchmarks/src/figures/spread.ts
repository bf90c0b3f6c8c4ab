export interface Placed {
  /** Where its centre would be if it were alone. */
  readonly wanted: number;
  readonly size: number;
}

/**
 * The centres of things in a row that do not overlap, as near as that to where they want to be, in the same order. They
 * stay between `low` and `high` if there is room for all of them.
 */
export function spread(things: readonly Placed[], low: number, high: number): number[] {
  const order = things.map((_, i) => i).sort((a, b) => things[a]!.wanted - things[b]!.wanted);
  // Those that want too near to each other become one block, which may touch the one before it then.
  const blocks: Block[] = [];
  for (const index of order) {
    let block = blockOf([index], things, low, high);
    for (let last = blocks.at(-1); last !== undefined && last.start + last.size > block.start; last = blocks.at(-1)) {
      blocks.pop();
      block = blockOf([...last.members, ...block.members], things, low, high);
    }
    blocks.push(block);
  }
  const centres = things.map(({ wanted }) => wanted);
  for (const { start, members } of blocks) {
    let end = start;
    for (const member of members) {
      end += things[member]!.size;
      centres[member] = end - things[member]!.size / 2;
    }
  }
  return centres;
}

interface Block {
  readonly members: readonly number[];
  readonly start: number;
  readonly size: number;
}

/** Where its members are moved least in the mean. */
function blockOf(members: readonly number[], things: readonly Placed[], low: number, high: number): Block {
  let size = 0;
  let starts = 0;
  for (const member of members) {
    const thing = things[member]!;
    starts += thing.wanted - thing.size / 2 - size;
    size += thing.size;
  }
  return { members, size, start: Math.max(low, Math.min(high - size, starts / members.length)) };
}
