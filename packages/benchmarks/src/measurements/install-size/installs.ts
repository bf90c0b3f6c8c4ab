import { contestants, loadContestant } from '../../contestants/contestants.js';

/** What a program with a container and gRPC has without any more: what is left to grpc-di itself is the difference. */
const foundation = ['@grpc/grpc-js', 'inversify', 'reflect-metadata'];

/** What the contestants' users install, each list once: several contestants are made of the same packages. */
export async function installs(): Promise<readonly (readonly string[])[]> {
  const lists = new Map<string, readonly string[]>([['', foundation]]);
  for (const name of Object.keys(contestants)) {
    const { packages } = await loadContestant(name);
    lists.set(packages.join(' '), packages);
  }
  return [...lists.values()];
}
