import { contestants, loadContestant } from '../../contestants/contestants.js';

/** What the contestants' users install, each list once: several contestants are made of the same packages. */
export async function installs(): Promise<readonly (readonly string[])[]> {
  const lists = new Map<string, readonly string[]>();
  for (const name of Object.keys(contestants)) {
    const { packages } = await loadContestant(name);
    lists.set(packages.join(' '), packages);
  }
  return [...lists.values()];
}
