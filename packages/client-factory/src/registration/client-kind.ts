import type { CallDefaults } from '../call/call-defaults.js';
import type { Rpc } from '../call/rpcs.js';
import type { ClientChannel } from '../channel/client-channel.js';

/** What sort of client it is that is registered: a generated class, or something that the user makes. */
export interface ClientKind {
  /** What messages call the class. */
  readonly name: string;
  /** The protobuf service's full name; `undefined` where there is none, and so no default name. */
  readonly serviceName: string | undefined;
  /** `undefined` where they are not known. */
  readonly rpcs: readonly Rpc[] | undefined;
  /** What objects of it are instances of; `undefined` where any object will do. */
  readonly Class: (abstract new (...args: never[]) => object) | undefined;
  /** Makes an object of it; `undefined` where only the option `createClient` can. */
  readonly create: ((channel: ClientChannel, defaults: CallDefaults) => object) | undefined;
}
