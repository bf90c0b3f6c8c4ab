// Original file: packages/test-rig/proto/grpc_di/test/v1/relay.proto


export interface RelayRequest {
  'id'?: (string);
  'script'?: (string);
  'path'?: (string)[];
}

export interface RelayRequest__Output {
  'id': (string);
  'script': (string);
  'path': (string)[];
}
