import { Metadata, type ServiceError } from '@grpc/grpc-js';
import type { GrpcCallOptions, GrpcClient } from '@grpc-di/client-factory';
import { CASE_KEY, type CallKind, type LeafClient } from '@grpc-di/test-rig';
import { REQUEST } from './front-server.js';

export const FORMS = ['promise', 'callback'] as const;
export type Form = (typeof FORMS)[number];

/** Starts a call of any kind in either form; resolves with its error, or with `undefined` when it succeeded. */
export function startChild(
  client: GrpcClient<LeafClient>,
  kind: CallKind,
  form: Form,
  caseId: string,
  options: GrpcCallOptions = {},
): Promise<ServiceError | undefined> {
  const metadata = new Metadata();
  metadata.set(CASE_KEY, caseId);
  return form === 'promise'
    ? outcome(STARTERS[kind](client, { ...options, metadata }))
    : CALLBACK_STARTERS[kind](client, metadata, options);
}

async function outcome(call: PromiseLike<unknown> | AsyncIterable<unknown>): Promise<ServiceError | undefined> {
  try {
    if (Symbol.asyncIterator in call) {
      for await (const _message of call) {
      }
    } else {
      await call;
    }
    return undefined;
  } catch (error) {
    return error as ServiceError;
  }
}

const STARTERS = {
  unary: (client: GrpcClient<LeafClient>, options: GrpcCallOptions) => client.unary(REQUEST, options),
  serverStream: (client: GrpcClient<LeafClient>, options: GrpcCallOptions) => client.serverStream(REQUEST, options),
  clientStream: (client: GrpcClient<LeafClient>, options: GrpcCallOptions) => client.clientStream([REQUEST], options),
  bidi: (client: GrpcClient<LeafClient>, options: GrpcCallOptions) => client.bidi([REQUEST], options),
} as const;

type Settle = (error?: ServiceError | null) => void;

const CALLBACK_STARTERS = {
  unary: (client, metadata, options) => settled((settle) => client.unary(REQUEST, metadata, options, settle)),
  clientStream: (client, metadata, options) =>
    settled((settle) => {
      const call = client.clientStream(metadata, options, settle);
      call.write(REQUEST);
      call.end();
    }),
  serverStream: (client, metadata, options) =>
    settled((settle) => {
      client.serverStream(REQUEST, metadata, options).on('error', settle).on('end', settle).resume();
    }),
  bidi: (client, metadata, options) =>
    settled((settle) => {
      const call = client.bidi(metadata, options).on('error', settle).on('end', settle).resume();
      call.write(REQUEST);
      call.end();
    }),
} as const satisfies Record<
  CallKind,
  (client: GrpcClient<LeafClient>, metadata: Metadata, options: GrpcCallOptions) => Promise<ServiceError | undefined>
>;

/** The start itself must be able to throw. */
function settled(start: (settle: Settle) => void): Promise<ServiceError | undefined> {
  let settle!: Settle;
  const promise = new Promise<ServiceError | undefined>((resolve) => {
    settle = (error) => resolve(error ?? undefined);
  });
  start(settle);
  return promise;
}
