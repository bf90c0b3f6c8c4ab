import { fileURLToPath } from 'node:url';
import type { Measurement } from '../../measurement.js';
import { type InstalledSize, installedSize } from './installed-size.js';
import { installs } from './installs.js';

interface Install extends InstalledSize {
  readonly installed: readonly string[];
}

export const installSize: Measurement<readonly Install[]> = {
  name: 'install-size',
  title: 'Size of an installation',

  async run(bench) {
    const lists = await installs();
    return lists.map((installed, index) => {
      bench.progress(index, lists.length, installed.join(', '));
      return { installed, ...installedSize(installed, fileURLToPath(new URL('.', import.meta.url))) };
    });
  },

  report(raw) {
    return {
      blocks: [
        'What a program gets that installs these packages: they, their dependencies and their peers that are not optional. ' +
          'The bytes are the lengths of the files; a package of this repository counts as it would be published.',
        {
          columns: ['installed', 'MB', 'packages', 'files'],
          rows: raw.map(({ installed, bytes, packages, files }) => [
            installed.map((name) => `\`${name}\``).join(', '),
            (bytes / 1e6).toFixed(2),
            `${packages.length}`,
            `${files}`,
          ]),
        },
        'The generator and the code that it writes are not counted. What `ts-proto` and `protoc-gen-es` write needs ' +
          '`@bufbuild/protobuf`, which only connect-node brings along.',
      ],
      targets: [],
    };
  },
};
