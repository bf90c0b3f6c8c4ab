import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type Metadata,
  makeGenericClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { RelayReply as ReplyCodec, RelayRequest as RequestCodec } from '@grpc-di/test-rig';

// What grpc-tools writes, and grpc_tools_node_protoc_ts types, by hand: grpc-tools brings a compiled binary that cannot
// be installed everywhere. Messages are classes; the client is declared as a class with overloads, of which grpc-js
// makes the real one.

export class RelayRequest {
  private id = '';

  getId(): string {
    return this.id;
  }

  setId(value: string): RelayRequest {
    this.id = value;
    return this;
  }

  serializeBinary(): Uint8Array {
    return RequestCodec.encode({ id: this.id, script: '', path: [] }).finish();
  }
}

export class RelayReply {
  private text = '';

  getText(): string {
    return this.text;
  }

  setText(value: string): RelayReply {
    this.text = value;
    return this;
  }

  static deserializeBinary(bytes: Uint8Array): RelayReply {
    return new RelayReply().setText(ReplyCodec.decode(bytes).text);
  }
}

type Callback = (error: ServiceError | null, response: RelayReply) => void;

declare class LeafClientTypings extends Client {
  constructor(address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>);
  public unary(request: RelayRequest, callback: Callback): ClientUnaryCall;
  public unary(request: RelayRequest, metadata: Metadata, callback: Callback): ClientUnaryCall;
  public unary(
    request: RelayRequest,
    metadata: Metadata,
    options: Partial<CallOptions>,
    callback: Callback,
  ): ClientUnaryCall;
  public serverStream(request: RelayRequest, options?: Partial<CallOptions>): ClientReadableStream<RelayReply>;
  public serverStream(
    request: RelayRequest,
    metadata?: Metadata,
    options?: Partial<CallOptions>,
  ): ClientReadableStream<RelayReply>;
  public clientStream(callback: Callback): ClientWritableStream<RelayRequest>;
  public clientStream(metadata: Metadata, callback: Callback): ClientWritableStream<RelayRequest>;
  public clientStream(options: Partial<CallOptions>, callback: Callback): ClientWritableStream<RelayRequest>;
  public clientStream(
    metadata: Metadata,
    options: Partial<CallOptions>,
    callback: Callback,
  ): ClientWritableStream<RelayRequest>;
  public bidi(options?: Partial<CallOptions>): ClientDuplexStream<RelayRequest, RelayReply>;
  public bidi(metadata?: Metadata, options?: Partial<CallOptions>): ClientDuplexStream<RelayRequest, RelayReply>;
}

function rpc(name: string, requestStream: boolean, responseStream: boolean) {
  return {
    path: `/grpc_di.test.v1.Leaf/${name}`,
    requestStream,
    responseStream,
    requestSerialize: (request: RelayRequest) => Buffer.from(request.serializeBinary()),
    requestDeserialize: () => new RelayRequest(),
    responseSerialize: () => Buffer.alloc(0),
    responseDeserialize: (bytes: Buffer) => RelayReply.deserializeBinary(new Uint8Array(bytes)),
  };
}

export type LeafClient = LeafClientTypings;
export const LeafClient = makeGenericClientConstructor(
  {
    unary: rpc('Unary', false, false),
    serverStream: rpc('ServerStream', false, true),
    clientStream: rpc('ClientStream', true, false),
    bidi: rpc('Bidi', true, true),
  },
  'Leaf',
) as unknown as typeof LeafClientTypings;
