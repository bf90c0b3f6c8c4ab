import { contestants, loadContestant } from '../../contestants/contestants.js';

/** What somebody installs to make calls. */
export interface Install {
  readonly name: string;
  readonly packages: readonly string[];
}

/** What a program with a container and gRPC has anyway: the difference is grpc-di's own. */
const foundation: Install = {
  name: 'grpc-js and inversify',
  packages: ['@grpc/grpc-js', 'inversify', 'reflect-metadata'],
};

/** The contestants', each once: several are made of the same packages, and differ in what comes after the comma. */
export async function installs(): Promise<readonly Install[]> {
  const found = new Map<string, Install>();
  for (const key of Object.keys(contestants)) {
    const { name, packages } = await loadContestant(key);
    found.set(packages.join(' '), { name: name.replace(/,.*/, ''), packages });
  }
  return [foundation, ...found.values()];
}

/** What each stands for, for a reader of the report. */
export function listOf(installs: readonly Install[]): string {
  return installs
    .map(({ name, packages }) => `- ${name}: ${packages.map((one) => `\`${one}\``).join(', ')}`)
    .join('\n');
}
