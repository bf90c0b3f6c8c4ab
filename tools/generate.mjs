import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './install.mjs';
import { node, root } from './process.mjs';
import { filesBelow, workspaceFolders } from './workspace.mjs';

const options = [
  'outputServices=grpc-js',
  'env=node',
  'esModuleInterop=true',
  'importSuffix=.js',
  'forceLong=bigint',
  'oneof=unions-value',
  'outputJsonMethods=false',
];

/** Writes src/generated/ of every package or example that has a proto/ folder. */
export default async function generate() {
  await install();
  let worst = 0;
  for (const folder of protoFolders()) {
    console.log(`${folder}/src/generated`);
    worst ||= await generateInto(folder, join(root, folder, 'src/generated'));
  }
  return worst;
}

export function protoFolders() {
  return workspaceFolders().filter((folder) => existsSync(join(root, folder, 'proto')));
}

export function generateInto(folder, output, processOptions) {
  const protos = join(root, folder, 'proto');
  const plugin = join(
    root,
    'node_modules/.bin',
    process.platform === 'win32' ? 'protoc-gen-ts_proto.cmd' : 'protoc-gen-ts_proto',
  );
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  return node(
    join(root, 'node_modules/protoc/protoc.cjs'),
    [
      `--plugin=protoc-gen-ts_proto=${plugin}`,
      `--ts_proto_out=${output}`,
      `--ts_proto_opt=${options.join(',')}`,
      `--proto_path=${protos}`,
      ...filesBelow(protos).filter((file) => file.endsWith('.proto')),
    ],
    processOptions,
  );
}
