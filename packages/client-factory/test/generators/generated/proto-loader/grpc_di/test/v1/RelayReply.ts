// Original file: packages/test-rig/proto/grpc_di/test/v1/relay.proto


export interface RelayReply {
  'id'?: (string);
  'text'?: (string);
  'deadline'?: (number | string);
}

export interface RelayReply__Output {
  'id': (string);
  'text': (string);
  'deadline': (number);
}
