import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { LeafClient as _grpc_di_test_v1_LeafClient, LeafDefinition as _grpc_di_test_v1_LeafDefinition } from './grpc_di/test/v1/Leaf.js';
import type { RelayClient as _grpc_di_test_v1_RelayClient, RelayDefinition as _grpc_di_test_v1_RelayDefinition } from './grpc_di/test/v1/Relay.js';
import type { RelayReply as _grpc_di_test_v1_RelayReply, RelayReply__Output as _grpc_di_test_v1_RelayReply__Output } from './grpc_di/test/v1/RelayReply.js';
import type { RelayRequest as _grpc_di_test_v1_RelayRequest, RelayRequest__Output as _grpc_di_test_v1_RelayRequest__Output } from './grpc_di/test/v1/RelayRequest.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  grpc_di: {
    test: {
      v1: {
        Leaf: SubtypeConstructor<typeof grpc.Client, _grpc_di_test_v1_LeafClient> & { service: _grpc_di_test_v1_LeafDefinition }
        Relay: SubtypeConstructor<typeof grpc.Client, _grpc_di_test_v1_RelayClient> & { service: _grpc_di_test_v1_RelayDefinition }
        RelayReply: MessageTypeDefinition<_grpc_di_test_v1_RelayReply, _grpc_di_test_v1_RelayReply__Output>
        RelayRequest: MessageTypeDefinition<_grpc_di_test_v1_RelayRequest, _grpc_di_test_v1_RelayRequest__Output>
      }
    }
  }
}

