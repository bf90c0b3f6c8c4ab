import type { Client } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { Container } from 'inversify';
import type { CallDefaults } from '../call/call-defaults.js';
import { toMetadata } from '../call/call-metadata.js';
import type { GrpcClient } from '../call/grpc-client.js';
import { resolveAddress } from '../channel/address.js';
import { ClientChannel } from '../channel/client-channel.js';
import { type ChannelSettings, ManagedChannel } from '../channel/managed-channel.js';
import { ParentFinder } from '../propagation/parent-call.js';
import { propagationPolicy } from '../propagation/propagation-options.js';
import { type Address, type GrpcClientOptions, naming } from './client-options.js';
import type { GeneratedClass } from './generated-class.js';

/** One client class under one name: its options, its one channel, and the objects made of it. */
export class ClientRegistration {
  readonly channel = new ManagedChannel(
    () => this.resolveSettings(),
    () => this.releasedBecause(),
  );

  /** What the options amount to, from the first use on. */
  private used: { defaults: CallDefaults; parents: ParentFinder | undefined } | undefined;

  constructor(
    readonly name: string,
    readonly options: GrpcClientOptions,
    private readonly container: Container,
    private readonly generated: GeneratedClass,
    private readonly isUnbound: () => boolean,
  ) {}

  get isUsed(): boolean {
    return this.used !== undefined || this.channel.isInUse;
  }

  /** @throws Error that names the client, when it has no address, or one that cannot be used. */
  createClient(): GrpcClient<Client> {
    this.channel.prepare();
    const { defaults, parents } = (this.used ??= this.settle());
    return new this.generated.InjectedClient(new ClientChannel(this.name, this.channel, parents), defaults);
  }

  private resolveSettings(): ChannelSettings {
    const { credentials, channelOptions } = this.options;
    const address = this.resolveAddressOption();
    return naming(this.name, () => ({ ...resolveAddress(address, credentials), options: { ...channelOptions } }));
  }

  private releasedBecause(): string | undefined {
    return this.isUnbound()
      ? `gRPC client '${this.name}' is closed: its binding was removed from the container`
      : undefined;
  }

  private settle(): { defaults: CallDefaults; parents: ParentFinder | undefined } {
    const { metadata, timeoutMs, enableCallContextPropagation: propagation } = this.options;
    const values = metadata === undefined ? undefined : toMetadata(metadata).clone();
    return {
      defaults: {
        metadata: values === undefined ? undefined : { names: Object.keys(values.toJSON()), values },
        timeoutMs,
      },
      parents: propagation ? new ParentFinder(this.name, propagationPolicy(propagation)) : undefined,
    };
  }

  private resolveAddressOption(): Address {
    const { address } = this.options;
    if (address === undefined) {
      const { name, serviceName } = this.generated;
      const nameOption = this.name === serviceName ? '' : `name: '${this.name}', `;
      throw new Error(
        `gRPC client '${this.name}': it has no address: write createGrpcClient(container, ${name}, ` +
          `{ ${nameOption}address: 'https://users:50051' })`,
      );
    }
    return typeof address === 'function' ? this.callAddressFunction(address) : address;
  }

  private callAddressFunction(address: (container: Container) => Address): Address {
    let resolved: unknown;
    try {
      resolved = address(this.container);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`gRPC client '${this.name}': its address function threw: ${message}`, { cause: error });
    }
    if (typeof resolved !== 'string' && !(resolved instanceof URL)) {
      const returned = resolved instanceof Promise ? 'a promise' : describeValue(resolved);
      throw new TypeError(
        `gRPC client '${this.name}': its address function returned ${returned} instead of a gRPC target or a URL`,
      );
    }
    return resolved;
  }
}
