import { CallCredentials, type Metadata, status } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { toMetadata } from '../call/call-metadata.js';
import type { CredentialedCall } from '../propagation/call-target.js';

/** What credentials are asked for. */
export interface CredentialsRequest {
  /** Such as `https://users/users.v1.Users`: as grpc-js has it, without the port. */
  readonly serviceUrl: string;
  /** The rpc's path, such as `/users.v1.Users/GetUser`. */
  readonly method: string;
  /** Aborts when the call ends before it has its credentials: cancelled, or past its deadline. */
  readonly signal: AbortSignal;
  /** The call's, in epoch milliseconds; `Infinity` when it has none. */
  readonly deadline: number;
}

/**
 * Brings the metadata that shows who calls, an `authorization` for one. It runs in its call's context, once per
 * attempt, and the call waits for it. When it fails, the call does, with the error as its `cause`, and with its gRPC
 * code where it has one that may come from here (gRFC A54), else UNKNOWN.
 */
export type CallCredentialsFunction = (
  request: CredentialsRequest,
) => Promise<Metadata | Record<string, string>> | Metadata | Record<string, string>;

/** An injectable object that does. */
export interface CallCredentialsSource {
  getMetadata: CallCredentialsFunction;
}

/** What a client is registered with, once identifiers are resolved. */
export type ClientCredentials = CallCredentials | CallCredentialsFunction;

/**
 * The credentials of one call: its own first, then its client's, in order of registration. The channel's come after.
 * All of them run as providers do: grpc-js's own too can fail with nothing.
 */
export function credentialsOf(
  call: CredentialedCall,
  own: CallCredentials | undefined,
  clients: readonly ClientCredentials[],
): CallCredentials | undefined {
  let composed = own === undefined ? undefined : oneOf(call, own);
  for (const one of clients) {
    const next = oneOf(call, one);
    composed = composed === undefined ? next : composed.compose(next);
  }
  return composed;
}

type MetadataGenerator = Parameters<typeof CallCredentials.createFromMetadataGenerator>[0];

function oneOf(call: CredentialedCall, one: ClientCredentials): CallCredentials {
  const provide = typeof one === 'function' ? one : providerOf(one);
  return CallCredentials.createFromMetadataGenerator(
    (options, callback) => void generate(call, provide, options, callback),
  );
}

function providerOf(credentials: CallCredentials): CallCredentialsFunction {
  return ({ serviceUrl, method }) => credentials.generateMetadata({ service_url: serviceUrl, method_name: method });
}

async function generate(
  call: CredentialedCall,
  provide: CallCredentialsFunction,
  { service_url: serviceUrl, method_name: method }: Parameters<MetadataGenerator>[0],
  callback: Parameters<MetadataGenerator>[1],
): Promise<void> {
  const request: CredentialsRequest = {
    serviceUrl,
    method,
    deadline: call.deadline,
    get signal() {
      return call.signal;
    },
  };
  let metadata: Metadata;
  try {
    const provided: unknown = await call.runInAsyncScope(provide, undefined, request);
    metadata = toMetadata(provided as Metadata, 'what a provider of call credentials returns', kindOf);
  } catch (error) {
    const failure = asFailure(error);
    call.credentialsFailed(error, failure.message);
    callback(failure);
    return;
  }
  callback(null, metadata);
}

/**
 * grpc-js reads `code` and `message` of whatever it gets here: it takes any number for a gRPC code, an HTTP status or a
 * DOMException's among them, and the process down over `undefined`.
 */
function asFailure(thrown: unknown): Error {
  const { code, message } = (thrown ?? {}) as { code?: unknown; message?: unknown };
  const failure = new Error(typeof message === 'string' ? message : describeValue(thrown));
  return typeof code === 'number' && status[code] !== undefined ? Object.assign(failure, { code }) : failure;
}

/** What a provider returns is secret, also where it is wrong. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) {
    return String(value);
  }
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
