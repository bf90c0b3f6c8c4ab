import { fileURLToPath } from 'node:url';
import type { Measurement } from '../../measurement.js';
import { type InstalledSize, installedSize } from './installed-size.js';
import { type Install, installs, listOf } from './installs.js';

interface Measured extends Install {
  readonly size: InstalledSize;
}

export const installSize: Measurement<readonly Measured[]> = {
  name: 'install-size',
  title: 'Size of an installation',

  async run(bench) {
    const lists = await installs();
    return lists.map(({ name, packages }, index) => {
      bench.progress(index, lists.length, name);
      return { name, packages, size: installedSize(packages, fileURLToPath(new URL('.', import.meta.url))) };
    });
  },

  report(raw) {
    return {
      blocks: [
        'What a program gets that installs these packages: they, their dependencies and their peers that are not optional. ' +
          'The bytes are the lengths of the files; a package of this repository counts as it would be published.',
        listOf(raw),
        {
          columns: ['', 'MB', 'packages', 'files'],
          rows: raw.map(({ name, size: { bytes, packages, files } }) => [
            name,
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
