import { types } from 'node:util';
import { Metadata } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { GrpcCallOptions } from './calls.js';

export type CallKind = 'unary' | 'serverStream' | 'clientStream' | 'bidi';

export type ResponseCallback = (error: unknown, response?: unknown) => void;

/** What a caller passed, in whichever form. */
export interface CallArguments {
  request: unknown;
  requests: AsyncIterable<unknown> | Iterable<unknown> | undefined;
  metadata: Metadata | undefined;
  options: GrpcCallOptions | undefined;
  callback: ResponseCallback | undefined;
}

/**
 * Reads the arguments of a call, four at most: grpc-js's forms, `(request?, metadata?, options?, callback?)`, and the
 * promise forms, `(request, options?)` and `(requests?, options?)`.
 *
 * @throws TypeError for what is none of them.
 */
export function readArguments(
  kind: CallKind,
  method: string,
  first: unknown,
  second: unknown,
  third: unknown,
  fourth: unknown,
): CallArguments {
  const read: CallArguments = {
    request: undefined,
    requests: undefined,
    metadata: undefined,
    options: undefined,
    callback: undefined,
  };
  if (kind === 'unary' || kind === 'serverStream') {
    read.request = first;
  } else if (isIterable(first)) {
    read.requests = first as CallArguments['requests'];
  } else {
    readArgument(read, first, method);
  }
  readArgument(read, second, method);
  readArgument(read, third, method);
  readArgument(read, fourth, method);
  checkCallback(kind, method, read);
  return read;
}

function readArgument(read: CallArguments, value: unknown, method: string): void {
  if (value === undefined) {
    return;
  }
  if (typeof value === 'function' && types.isGeneratorFunction(value)) {
    throw new TypeError(`${method} was called with a generator function: call it, and pass the generator`);
  }
  const place = placeOf(value);
  if (place === undefined) {
    throw new TypeError(
      `${method} was called with ${describeValue(value)}: expected a Metadata of @grpc/grpc-js, call options or a callback`,
    );
  }
  if (read[place] !== undefined) {
    throw new TypeError(`${method} was called with ${place} twice`);
  }
  read[place] = value as never;
}

function placeOf(value: unknown): 'callback' | 'metadata' | 'options' | undefined {
  if (typeof value === 'function') {
    return 'callback';
  }
  if (value instanceof Metadata) {
    return 'metadata';
  }
  return typeof value === 'object' && value !== null && !isIterable(value) ? 'options' : undefined;
}

function checkCallback(kind: CallKind, method: string, { callback, requests }: CallArguments): void {
  if (callback !== undefined && (kind === 'serverStream' || kind === 'bidi')) {
    throw new TypeError(
      `${method} streams its responses and takes no callback: write for await (const message of call)`,
    );
  }
  if (callback !== undefined && requests !== undefined) {
    throw new TypeError(`${method} takes either an iterable of requests or a callback, not both`);
  }
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}
