import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType } from './generated/proto-loader/leaf.js';

export type { LeafClient } from './generated/proto-loader/grpc_di/test/v1/Leaf.js';
export type { RelayReply__Output } from './generated/proto-loader/grpc_di/test/v1/RelayReply.js';
export type { RelayRequest } from './generated/proto-loader/grpc_di/test/v1/RelayRequest.js';

/** The rig's protos, from dist-test as from test. */
const protos = fileURLToPath(new URL('../../../test-rig/proto', import.meta.url));
const definition = loadSync('grpc_di/test/v1/leaf.proto', { includeDirs: [protos], defaults: true });

/** A client class as proto-loader's users have it: made at run time, typed by proto-loader-gen-types. */
export const Leaf = (loadPackageDefinition(definition) as unknown as ProtoGrpcType).grpc_di.test.v1.Leaf;
