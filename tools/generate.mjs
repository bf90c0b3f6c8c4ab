import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './install.mjs';
import { node, root } from './process.mjs';
import { filesBelow, workspaceFolders } from './workspace.mjs';

/** Writes all generated code: the clients and servers of every proto/ folder, and the clients that users bring. */
export default async function generate() {
  await install();
  let worst = 0;
  for (const target of generated()) {
    console.log(target.folder);
    worst ||= await generateInto(join(root, target.folder), target);
  }
  return worst;
}

/** Every folder of generated code, the proto/ folder that it comes from, or what of it, and its generator. */
export function generated() {
  const withProtos = workspaceFolders().filter((folder) => existsSync(join(root, folder, 'proto')));
  const rig = 'packages/test-rig/proto';
  const clients = 'packages/client-factory/test/generators/generated';
  const bench = 'packages/benchmarks/proto';
  const peers = 'packages/benchmarks/src/contestants/generated';
  return [
    ...withProtos.map((folder) => ({
      folder: `${folder}/src/generated`,
      protos: `${folder}/proto`,
      generator: tsProto,
    })),
    { folder: `${clients}/proto-loader`, protos: rig, generator: protoLoader },
    { folder: `${clients}/protobuf-ts`, protos: rig, generator: protobufTs },
    { folder: `${peers}/nice-grpc`, protos: bench, below: 'bench/', generator: niceGrpc },
    { folder: `${peers}/connect`, protos: bench, below: 'bench/', generator: protobufEs },
  ];
}

export function generateInto(output, { protos, below = '', generator }, processOptions) {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const files = filesBelow(join(root, protos)).filter((file) => file.startsWith(below) && file.endsWith('.proto'));
  return generator(output, protos, files, processOptions);
}

function tsProto(output, protos, files, processOptions) {
  return runTsProto(['outputServices=grpc-js'], output, protos, files, processOptions);
}

/** As nice-grpc's README has it. */
function niceGrpc(output, protos, files, processOptions) {
  const services = ['outputServices=nice-grpc', 'outputServices=generic-definitions', 'useExactTypes=false'];
  return runTsProto(services, output, protos, files, processOptions);
}

function runTsProto(services, output, protos, files, processOptions) {
  const options = [
    ...services,
    'env=node',
    'esModuleInterop=true',
    'importSuffix=.js',
    'forceLong=bigint',
    'oneof=unions-value',
    'outputJsonMethods=false',
  ];
  return protoc(
    [`--plugin=${plugin('protoc-gen-ts_proto')}`, `--ts_proto_out=${output}`, `--ts_proto_opt=${options.join(',')}`],
    protos,
    files,
    processOptions,
  );
}

function protobufEs(output, protos, files, processOptions) {
  return protoc(
    [
      `--plugin=${plugin('protoc-gen-es', 'packages/benchmarks')}`,
      `--es_out=${output}`,
      '--es_opt=target=ts,import_extension=js',
    ],
    protos,
    files,
    processOptions,
  );
}

async function protobufTs(output, protos, files, processOptions) {
  const options = ['client_grpc1', 'ts_nocheck'];
  const code = await protoc(
    [`--plugin=${plugin('protoc-gen-ts')}`, `--ts_out=${output}`, `--ts_opt=${options.join(',')}`],
    protos,
    files,
    processOptions,
  );
  // It has no option for the extension that an ES module's imports need.
  for (const file of filesBelow(output)) {
    const path = join(output, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/(from "\.{1,2}\/[^"]+)(?=")/g, '$1.js'));
  }
  return code;
}

function protoLoader(output, protos, files, processOptions) {
  return node(
    join(root, 'packages/client-factory/node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js'),
    [
      ...files,
      '--grpcLib=@grpc/grpc-js',
      '--importFileExtension=.js',
      '--defaults',
      `--includeDirs=${protos}`,
      `--outDir=${output}`,
    ],
    processOptions,
  );
}

function protoc(args, protos, files, processOptions) {
  return node(
    join(root, 'node_modules/protoc/protoc.cjs'),
    [...args, `--proto_path=${join(root, protos)}`, ...files],
    processOptions,
  );
}

function plugin(name, folder = '.') {
  const file = process.platform === 'win32' ? `${name}.cmd` : name;
  return `${name}=${join(root, folder, 'node_modules/.bin', file)}`;
}
