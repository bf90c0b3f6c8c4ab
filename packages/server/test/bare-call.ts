import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { type CallOptions, type ClientWritableStream, Metadata, type StatusObject } from '@grpc/grpc-js';
import { type CallKind, type RelayClient, type RelayReply, RelayRequest } from '@grpc-di/test-rig';

export const REQUEST: RelayRequest = RelayRequest.fromPartial({ id: 'request' });

/** A call by a client that is grpc-js and nothing else, as seen from outside. */
export interface BareCall {
  /** Where requests are written to; of streaming uploads only. */
  readonly upload: ClientWritableStream<RelayRequest>;
  /** Where replies are read from; of streaming responses only. */
  readonly download: Readable;
  /** The messages that have come back so far. */
  readonly replies: readonly RelayReply[];
  readonly headers: Promise<Metadata>;
  /** How the call ended; never rejects. */
  readonly status: Promise<StatusObject>;
  readonly cancel: () => void;
}

export interface BareCallOptions extends CallOptions {
  metadata?: Metadata;
  /** What a streaming upload sends. Default: one message. */
  requests?: readonly RelayRequest[];
  /** Whether a streaming upload stays open after its requests. */
  keepsUploading?: boolean;
}

export function startCall(client: RelayClient, kind: CallKind, init: BareCallOptions = {}): BareCall {
  const { metadata = new Metadata(), requests = [REQUEST], keepsUploading = false, ...options } = init;
  const replies: RelayReply[] = [];
  const takeReply = (_error: unknown, reply?: RelayReply): void => {
    if (reply !== undefined) {
      replies.push(reply);
    }
  };
  const grpc = {
    unary: () => client.unary(REQUEST, metadata, options, takeReply),
    serverStream: () => client.serverStream(REQUEST, metadata, options),
    clientStream: () => client.clientStream(metadata, options, takeReply),
    bidi: () => client.bidi(metadata, options),
  }[kind]();
  const events: EventEmitter = grpc;
  events.on('data', (reply: RelayReply) => replies.push(reply));
  events.on('error', () => {}); // the status says it
  if (kind === 'clientStream' || kind === 'bidi') {
    const upload = grpc as ClientWritableStream<RelayRequest>;
    for (const request of requests) {
      upload.write(request);
    }
    if (!keepsUploading) {
      upload.end();
    }
  }
  return {
    upload: grpc as ClientWritableStream<RelayRequest>,
    download: events as Readable,
    replies,
    headers: new Promise((resolve) => events.on('metadata', resolve)),
    status: new Promise((resolve) => events.on('status', resolve)),
    cancel: () => grpc.cancel(),
  };
}
