import { type ChannelOptions, experimental } from '@grpc/grpc-js';
import { HealthCheckedSubchannel } from './health-checked-subchannel.js';

/** What the load balancing policy is called in a service config. */
export const HEALTH_CHECKING_POLICY = 'grpc_di_health_checking';

/**
 * Registers the policy with grpc-js, which has no client-side health checking of its own (gRFC A17): around another
 * policy, it lets a server have calls only while its health service says SERVING.
 */
export function registerHealthCheckingPolicy(): void {
  // Another installed copy of this package may have done it.
  if (!experimental.isLoadBalancerNameRegistered(HEALTH_CHECKING_POLICY)) {
    experimental.registerLoadBalancerType(HEALTH_CHECKING_POLICY, HealthCheckingLoadBalancer, HealthCheckingConfig);
  }
}

interface RawConfig {
  readonly service_name: string;
  readonly child_policy: Parameters<typeof experimental.selectLbConfigFromList>[0];
}

class HealthCheckingConfig implements experimental.TypedLoadBalancingConfig {
  constructor(
    readonly serviceName: string,
    readonly childPolicy: experimental.TypedLoadBalancingConfig,
  ) {}

  static createFromJson({ service_name: serviceName, child_policy: childPolicy }: RawConfig): HealthCheckingConfig {
    return new HealthCheckingConfig(serviceName, experimental.selectLbConfigFromList(childPolicy, true)!);
  }

  getLoadBalancerName(): string {
    return HEALTH_CHECKING_POLICY;
  }

  toJsonObject(): object {
    return {
      [HEALTH_CHECKING_POLICY]: { service_name: this.serviceName, child_policy: [this.childPolicy.toJsonObject()] },
    };
  }
}

class HealthCheckingLoadBalancer implements experimental.LoadBalancer {
  private readonly child: experimental.ChildLoadBalancerHandler;
  private serviceName = '';

  constructor(helper: experimental.ChannelControlHelper) {
    this.child = new experimental.ChildLoadBalancerHandler(
      experimental.createChildChannelControlHelper(helper, {
        createSubchannel: (address, options) =>
          new HealthCheckedSubchannel(helper.createSubchannel(address, options), this.serviceName),
      }),
    );
  }

  updateAddressList(
    endpoints: Parameters<experimental.LoadBalancer['updateAddressList']>[0],
    config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    resolutionNote: string,
  ): boolean {
    if (!(config instanceof HealthCheckingConfig)) {
      return false;
    }
    this.serviceName = config.serviceName;
    return this.child.updateAddressList(endpoints, config.childPolicy, options, resolutionNote);
  }

  exitIdle(): void {
    this.child.exitIdle();
  }

  resetBackoff(): void {
    this.child.resetBackoff();
  }

  destroy(): void {
    this.child.destroy();
  }

  getTypeName(): string {
    return HEALTH_CHECKING_POLICY;
  }
}
