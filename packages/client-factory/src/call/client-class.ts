import type { Writable } from 'node:stream';
import type { ChannelCredentials, Client, ClientOptions } from '@grpc/grpc-js';
import { withStackFramesAgain } from '@grpc-di/call-context/opener';
import type { ClientChannel } from '../channel/client-channel.js';
import type { ResponseCallback } from './call-arguments.js';
import type { CallDefaults } from './call-defaults.js';
import { ClientStreamingPromise } from './client-streaming-promise.js';
import type { GrpcClient, GrpcClientConstructor } from './grpc-client.js';
import { prepareCall, representedBy, swapIn } from './prepare-call.js';
import { pumpRequests, sinkOf } from './request-pump.js';
import { ResponsePromise } from './response-promise.js';
import type { Rpc } from './rpcs.js';
import { DuplexStreamingStream, ServerStreamingStream } from './streaming-calls.js';

/** The class of the client objects that get injected. */
export type InjectedClientClass<C extends Client> = new (
  channel: ClientChannel,
  defaults: CallDefaults,
) => GrpcClient<C>;

type Serialize = (message: unknown) => Buffer;
type Deserialize = (bytes: Buffer) => unknown;

/** Own state of a client object, out of the way of rpcs of any name. */
const channelKey = Symbol('grpc-di channel');
const defaultsKey = Symbol('grpc-di call defaults');

/**
 * A subclass of a generated client class whose calls all go through us, in the promise form too: generated methods
 * end in one of four methods of grpc-js's `Client`.
 */
export function injectedClientClass<C extends Client>(
  Generated: GrpcClientConstructor<C>,
  rpcs: readonly Rpc[],
): InjectedClientClass<C> {
  const Base = Generated as unknown as BaseClient;

  class InjectedClient extends Base {
    readonly [channelKey]: ClientChannel;
    readonly [defaultsKey]: CallDefaults;

    constructor(channel: ClientChannel, defaults: CallDefaults) {
      super(channel.getTarget(), channel.credentials, {
        channelOverride: channel,
        callInvocationTransformer: swapIn,
      });
      this[channelKey] = channel;
      this[defaultsKey] = defaults;
    }

    override makeUnaryRequest(
      path: string,
      serialize: Serialize,
      deserialize: Deserialize,
      first?: unknown,
      second?: unknown,
      third?: unknown,
      fourth?: unknown,
    ): unknown {
      const call = prepareCall('unary', this[channelKey], this[defaultsKey], path, first, second, third, fourth);
      const { request, metadata, options, callback } = call;
      const settle =
        callback === undefined
          ? representedBy(new ResponsePromise(), options).callback()
          : withStackFramesInside(callback);
      return super.makeUnaryRequest(path, serialize, deserialize, request, metadata, options, settle);
    }

    override makeServerStreamRequest(
      path: string,
      serialize: Serialize,
      deserialize: Deserialize,
      first?: unknown,
      second?: unknown,
      third?: unknown,
      fourth?: unknown,
    ): unknown {
      const { request, metadata, options } = prepareCall(
        'serverStream',
        this[channelKey],
        this[defaultsKey],
        path,
        first,
        second,
        third,
        fourth,
      );
      representedBy(new ServerStreamingStream(deserialize), options);
      return super.makeServerStreamRequest(path, serialize, deserialize, request, metadata, options);
    }

    override makeClientStreamRequest(
      path: string,
      serialize: Serialize,
      deserialize: Deserialize,
      first?: unknown,
      second?: unknown,
      third?: unknown,
      fourth?: unknown,
    ): unknown {
      const call = prepareCall('clientStream', this[channelKey], this[defaultsKey], path, first, second, third, fourth);
      const { requests, metadata, options, callback } = call;
      if (callback !== undefined) {
        const settle = withStackFramesInside(callback);
        return super.makeClientStreamRequest(path, serialize, deserialize, metadata, options, settle);
      }
      const promise = representedBy(new ClientStreamingPromise(), options);
      const started = super.makeClientStreamRequest(
        path,
        serialize,
        deserialize,
        metadata,
        options,
        promise.callback(),
      );
      if (requests !== undefined) {
        void pumpRequests(requests, promise.requests, promise);
      }
      return started;
    }

    override makeBidiStreamRequest(
      path: string,
      serialize: Serialize,
      deserialize: Deserialize,
      first?: unknown,
      second?: unknown,
      third?: unknown,
      fourth?: unknown,
    ): unknown {
      const { requests, metadata, options } = prepareCall(
        'bidi',
        this[channelKey],
        this[defaultsKey],
        path,
        first,
        second,
        third,
        fourth,
      );
      const stream = representedBy(new DuplexStreamingStream(serialize, deserialize), options);
      const started = super.makeBidiStreamRequest(path, serialize, deserialize, metadata, options);
      if (requests !== undefined) {
        void pumpRequests(requests, sinkOf(stream as unknown as Writable), stream);
      }
      return started;
    }
  }

  redefineRpcs(InjectedClient.prototype, rpcs);
  Object.defineProperty(InjectedClient, 'name', { value: Generated.name });
  return InjectedClient as unknown as InjectedClientClass<C>;
}

/** A user's callback comes right after the error that is made without stack frames. */
function withStackFramesInside(callback: ResponseCallback): ResponseCallback {
  return (error, response) => {
    withStackFramesAgain();
    callback(error, response);
  };
}

/**
 * The methods that grpc-js's `makeClientConstructor` writes hold on to the four methods of `Client` itself, and never
 * see an override: they are written anew, with the properties that grpc-js and its instrumentations read.
 */
function redefineRpcs(prototype: BaseClientInstance, rpcs: readonly Rpc[]): void {
  for (const { name, make, definition } of rpcs) {
    if (definition !== undefined) {
      const { path, requestSerialize, responseDeserialize } = definition;
      const method = function (
        this: BaseClientInstance,
        first: unknown,
        second: unknown,
        third: unknown,
        fourth: unknown,
      ): unknown {
        return this[make](path, requestSerialize, responseDeserialize, first, second, third, fourth);
      };
      Object.defineProperty(prototype, name, {
        value: Object.assign(method, definition),
        configurable: true,
        writable: true,
      });
    }
  }
}

/** `Client`, with the four methods without their forms: those are ours to tell apart. */
interface BaseClientInstance {
  makeUnaryRequest(path: string, serialize: Serialize, deserialize: Deserialize, ...args: unknown[]): unknown;
  makeServerStreamRequest(path: string, serialize: Serialize, deserialize: Deserialize, ...args: unknown[]): unknown;
  makeClientStreamRequest(path: string, serialize: Serialize, deserialize: Deserialize, ...args: unknown[]): unknown;
  makeBidiStreamRequest(path: string, serialize: Serialize, deserialize: Deserialize, ...args: unknown[]): unknown;
}

type BaseClient = new (address: string, credentials: ChannelCredentials, options: ClientOptions) => BaseClientInstance;
