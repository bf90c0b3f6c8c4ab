import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

// nginx is in a folder that only root has on its path.
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];

/**
 * Where a program is that some tests start, and that the Debian package of the same name brings. Where it is missing
 * it says so: its tests are to be skipped.
 */
export function debianProgram(name: 'chromium' | 'nginx' | 'curl'): string | undefined {
  const path = FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
  if (path === undefined) {
    // Not console: jest keeps that back for files whose tests are all skipped.
    process.stderr.write(
      `SKIPPED: tests that need the Debian package ${name}. tools/install-debian-packages.sh installs it.\n`,
    );
  }
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
