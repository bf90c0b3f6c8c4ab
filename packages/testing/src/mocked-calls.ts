import { status } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { ServerStreamingCall, UnaryCall } from '@grpc-di/client-factory';
import { startServerStreamingCall, startUnaryCall } from '@grpc-di/client-factory/for-testing';
import { FarEnd } from './far-end.js';

/**
 * What a client's method returns for a unary rpc that succeeds: the call object of a real client, with nothing but the
 * network left out. It ends when the promise does, if it was given one; where that rejects with a `ServiceError`
 * (`code`, `details`, `metadata`), so does the call, and with UNKNOWN where it rejects with anything else.
 *
 * @example
 * const users = { getUser: () => unaryCall(User.create({ name: 'Ada' })) };
 * const slowUsers = { getUser: () => unaryCall(new Promise<User>(() => {})) };
 *
 * @throws TypeError for `undefined` and `null`, which are no messages.
 */
export function unaryCall<R>(response: R | Promise<R>): UnaryCall<R> {
  if (response === undefined || response === null) {
    throw new TypeError(
      `unaryCall(response): a unary call has a response, {} where the message has no fields, not ${describeValue(response)}`,
    );
  }
  return startUnaryCall<R>(new FarEnd(once(response)));
}

/**
 * What a client's method returns for a unary rpc that fails: the call rejects with grpc-js's `ServiceError`. Make one
 * for each call (`() => failedCall(...)`): as with a real call, one that nobody looks at is an unhandled rejection.
 *
 * @example
 * const users = { getUser: () => failedCall(status.NOT_FOUND, 'no user 7') };
 *
 * @throws TypeError for a code that is no status, and for OK.
 */
export function failedCall(code: status, details = ''): UnaryCall<never> {
  if (typeof code !== 'number' || status[code] === undefined || code === status.OK) {
    throw new TypeError(
      `failedCall(code, details): code must be a status of @grpc/grpc-js other than OK, such as status.NOT_FOUND, not ${describeValue(code)}`,
    );
  }
  if (typeof details !== 'string') {
    throw new TypeError(`failedCall(code, details): details must be a string, not ${describeValue(details)}`);
  }
  return startUnaryCall<never>(new FarEnd(failing(Object.assign(new Error(details), { code, details }))));
}

/**
 * What a client's method returns for a server streaming rpc: the call object of a real client, with nothing but the
 * network left out. Messages are taken from the iterable as they are read; when the call is cancelled or its loop
 * left, the iterable is asked to return. Where it throws, the call fails: with the status of a `ServiceError` that is
 * thrown, with UNKNOWN for anything else.
 *
 * @example
 * const orders = { watchOrders: () => streamingCall([order1, order2]) };
 * const brokenOrders = {
 *   watchOrders: () =>
 *     streamingCall(
 *       (async function* () {
 *         yield order1;
 *         await failedCall(status.UNAVAILABLE, 'gone');
 *       })(),
 *     ),
 * };
 *
 * @throws TypeError for what is no iterable.
 */
export function streamingCall<R>(responses: Iterable<R> | AsyncIterable<R>): ServerStreamingCall<R> {
  if (
    typeof responses !== 'object' ||
    responses === null ||
    !(Symbol.asyncIterator in responses || Symbol.iterator in responses)
  ) {
    throw new TypeError(
      `streamingCall(responses): responses must be an iterable of messages, such as an array or an async generator, not ${describeValue(responses)}`,
    );
  }
  return startServerStreamingCall<R>(new FarEnd(responses));
}

async function* once<R>(response: R | Promise<R>): AsyncGenerator<R, void> {
  yield response;
}

// oxlint-disable-next-line require-yield
async function* failing(error: Error): AsyncGenerator<never, void> {
  throw error;
}
