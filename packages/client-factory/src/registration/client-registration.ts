import type { Client } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { Container } from 'inversify';
import type { CallDefaults } from '../call/call-defaults.js';
import { toMetadata } from '../call/call-metadata.js';
import type { InjectedClientClass } from '../call/client-class.js';
import type { GrpcClient } from '../call/grpc-client.js';
import { resolveAddress } from '../channel/address.js';
import { ClientChannel } from '../channel/client-channel.js';
import { type ChannelSettings, ManagedChannel } from '../channel/managed-channel.js';
import { ParentFinder } from '../propagation/parent-call.js';
import { propagationPolicy } from '../propagation/propagation-options.js';
import { type Address, type GrpcClientOptions, naming } from './client-options.js';

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
    private readonly InjectedClient: InjectedClientClass<Client>,
    private readonly isUnbound: () => boolean,
  ) {}

  get isUsed(): boolean {
    return this.used !== undefined || this.channel.isInUse;
  }

  /** @throws Error that names the client, when it has no address, or one that cannot be used. */
  createClient(): GrpcClient<Client> {
    this.channel.prepare();
    const { defaults, parents } = (this.used ??= this.settle());
    return new this.InjectedClient(new ClientChannel(this.name, this.channel, parents), defaults);
  }

  private resolveSettings(): ChannelSettings {
    const { credentials, channelOptions } = this.options;
    return naming(this.name, () => ({
      ...resolveAddress(this.resolveAddressOption(), credentials),
      options: { ...channelOptions },
    }));
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
    const resolved = typeof address === 'function' ? address(this.container) : address;
    if (typeof resolved === 'string' || resolved instanceof URL) {
      return resolved;
    }
    throw new Error(
      typeof address === 'function'
        ? `its address function returned ${describeValue(resolved)} instead of a gRPC target or a URL`
        : "it has no address: write createGrpcClient(container, Client, { address: 'https://users:50051' })",
    );
  }
}
