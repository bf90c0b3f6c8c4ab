/** The nearest places that are at least `gap` apart, in the same order. */
export function spread(wanted: readonly number[], gap: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  // Neighbours that are too near each other become one block around their mean, which may touch the next block then.
  const blocks: Array<{ members: number[]; centre: number }> = [];
  for (const index of order) {
    let block = { members: [index], centre: wanted[index]! };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      const needed = ((last.members.length + block.members.length) / 2) * gap;
      if (block.centre - last.centre >= needed) {
        break;
      }
      blocks.pop();
      const members = [...last.members, ...block.members];
      const mean = members.reduce((sum, member) => sum + wanted[member]!, 0) / members.length;
      block = { members, centre: mean };
    }
    blocks.push(block);
  }
  const places = [...wanted];
  for (const { members, centre } of blocks) {
    members.forEach((member, i) => {
      places[member] = centre + (i - (members.length - 1) / 2) * gap;
    });
  }
  return places;
}
