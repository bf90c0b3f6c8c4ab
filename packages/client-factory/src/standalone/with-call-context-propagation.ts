import { type ChannelInterface, Client } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { callDefaults } from '../call/call-defaults.js';
import { DecoratedChannel } from '../call/decorated-channel.js';
import { ClientChannel } from '../channel/client-channel.js';
import { ParentFinder } from '../propagation/parent-call.js';
import { type CallContextPropagationOptions, propagationPolicy } from '../propagation/propagation-options.js';
import { brokenPropagationRule } from '../registration/check-propagation-options.js';
import { isOptionsObject } from '../registration/options-object.js';
import { ForeignChannel } from './foreign-channel.js';

/**
 * Gives a client or a channel of grpc-js that the factory did not make the same propagation: every call that starts on
 * what comes back inherits the deadline and the cancellation of the call that it is made in. What was passed stays as
 * it is, and shares the channel; closing either closes that.
 *
 * @example
 * const users = withCallContextPropagation(new UsersClient('users:50051', credentials.createSsl()));
 *
 * @throws TypeError for what is neither, for invalid options, and for a client that the factory made without
 * propagation.
 */
export function withCallContextPropagation<C extends Client>(client: C, options?: CallContextPropagationOptions): C;
export function withCallContextPropagation(
  channel: ChannelInterface,
  options?: CallContextPropagationOptions,
): ChannelInterface;
export function withCallContextPropagation(
  clientOrChannel: Client | ChannelInterface,
  options: CallContextPropagationOptions = {},
): Client | ChannelInterface {
  const rule = isOptionsObject(options)
    ? brokenPropagationRule(options, 'options')
    : `options must be an object, not ${describeValue(options)}`;
  if (rule !== undefined) {
    throw new TypeError(`${CALLER}: ${rule}`);
  }
  if (clientOrChannel instanceof Client) {
    return propagatingClient(clientOrChannel, options);
  }
  if (typeof clientOrChannel?.createCall !== 'function') {
    throw new TypeError(
      `${CALLER}: ${describeValue(clientOrChannel)} is neither a client nor a channel of this very @grpc/grpc-js`,
    );
  }
  return propagatingChannel(clientOrChannel, options);
}

const CALLER = 'withCallContextPropagation';

function propagatingClient<C extends Client>(client: C, options: CallContextPropagationOptions): C {
  const channel: ChannelInterface = client.getChannel();
  const propagating = propagatingChannel(channel, options);
  if (propagating === channel) {
    return client;
  }
  const derived = Object.create(client) as C;
  // grpc-js's client keeps its channel under a symbol that it does not export.
  for (const symbol of Object.getOwnPropertySymbols(client)) {
    if (client[symbol as keyof C] === channel) {
      Object.defineProperty(derived, symbol, { value: propagating });
    }
  }
  return derived;
}

function propagatingChannel(channel: ChannelInterface, options: CallContextPropagationOptions): ChannelInterface {
  if (channel instanceof DecoratedChannel || channel instanceof ClientChannel) {
    if (channel.parents === undefined) {
      throw new TypeError(
        `${CALLER}: gRPC client '${channel.client}' is registered in a container: register it with ` +
          'enableCallContextPropagation: true instead',
      );
    }
    return channel;
  }
  const target = channel.getTarget();
  return new DecoratedChannel(
    new ForeignChannel(target, channel, new ParentFinder(target, propagationPolicy(options))),
    NO_DEFAULTS,
  );
}

const NO_DEFAULTS = callDefaults({}, undefined);
