import type { status } from '@grpc/grpc-js';
import { type DurationText, toDuration } from './duration.js';
import { HEALTH_CHECKING_POLICY, registerHealthCheckingPolicy } from './health-checking/health-checking-policy.js';
import { type LoadBalancingConfig, toGrpcJsPolicy } from './load-balancing-config.js';

/**
 * Retries, hedging, timeouts and load balancing of a channel
 * (https://github.com/grpc/grpc/blob/master/doc/service_config.md), with what grpc-js makes use of, and
 * health checking besides. It knows no `waitForReady` and message sizes of a method.
 *
 * A service config that DNS publishes for the target (a TXT record `_grpc_config.<host>`) replaces this one, unless the
 * channel option `grpc.service_config_disable_resolution` is 1.
 *
 * @example
 * {
 *   loadBalancingConfig: [{ round_robin: {} }],
 *   methodConfig: [
 *     {
 *       name: [{ service: 'users.v1.Users', method: 'GetUser' }],
 *       retryPolicy: {
 *         maxAttempts: 3,
 *         initialBackoff: '0.1s',
 *         maxBackoff: '1s',
 *         backoffMultiplier: 2,
 *         retryableStatusCodes: ['UNAVAILABLE'],
 *       },
 *     },
 *   ],
 * }
 */
export interface ServiceConfig {
  /** One policy. Default: `[{ pick_first: {} }]`. */
  readonly loadBalancingConfig?: readonly LoadBalancingConfig[];
  /** Of these the one with the most exact name counts for a method, as a whole: nothing is merged. */
  readonly methodConfig?: readonly MethodConfig[];
  /**
   * Leaves out servers whose health service (grpc.health.v1) does not say SERVING of this service; `''` is the server as a
   * whole. A server without a health service counts as healthy (gRFC A17). Not with `pick_first`, which has one server.
   */
  readonly healthCheckConfig?: { readonly serviceName: string };
  /** Stops retries, not hedging, where too many calls fail. All channels of the process with an equal target share the tokens. */
  readonly retryThrottling?: RetryThrottling;
}

export interface MethodConfig {
  /** At least one; none may be named twice in a service config. */
  readonly name: readonly MethodName[];
  /** The longest that a call may take, over all attempts. A call's own deadline and its parent's count where they are earlier. */
  readonly timeout?: DurationText;
  /** Either this or `hedgingPolicy`. */
  readonly retryPolicy?: RetryPolicy;
  readonly hedgingPolicy?: HedgingPolicy;
}

/** A method, all of a service, or with `{}` all methods of all services. */
export type MethodName =
  | {
      /** The full protobuf name, such as `users.v1.Users`. */
      readonly service: string;
      /** As the .proto spells it, such as `GetUser`. */
      readonly method?: string;
    }
  | { readonly service?: never; readonly method?: never };

export type FailureCode = Exclude<keyof typeof status, 'OK'> | Exclude<status, status.OK>;

/** A failed call is made again (gRFC A6), as long as no response headers have come. */
export interface RetryPolicy {
  /** The first attempt counts too: 2 or more. More than 5 needs the channel option `grpc-node.retry_max_attempts_limit`. */
  readonly maxAttempts: number;
  /** The wait before the second attempt, give or take a fifth. */
  readonly initialBackoff: DurationText;
  /** The longest wait between two attempts, give or take a fifth. */
  readonly maxBackoff: DurationText;
  /** How much longer each wait is than the one before. */
  readonly backoffMultiplier: number;
  /** At least one. A call is not made again once it was cancelled or its deadline has passed, whatever stands here. */
  readonly retryableStatusCodes: readonly FailureCode[];
}

/** A call is made several times at once, and the first answer counts (gRFC A6): for methods that may run more than once. */
export interface HedgingPolicy {
  /** The first attempt counts too: 2 or more. More than 5 needs the channel option `grpc-node.retry_max_attempts_limit`. */
  readonly maxAttempts: number;
  /** How long after an attempt the next one starts. Default: all at once. */
  readonly hedgingDelay?: DurationText;
  /** Failures that let the other attempts go on, and start the next one at once. Default: each failure ends the call. */
  readonly nonFatalStatusCodes?: readonly FailureCode[];
}

/** A failed attempt costs a token, a success brings `tokenRatio`; there are retries while more than half of the tokens are there. */
export interface RetryThrottling {
  /** 0.001 to 1000; three decimals count. */
  readonly maxTokens: number;
  /** 0.001 or more; three decimals count. */
  readonly tokenRatio: number;
}

/** What grpc-js's channel option `grpc.service_config` takes, of a config that `checkServiceConfig` let pass. */
export function toServiceConfigOption(config: ServiceConfig): string {
  const { loadBalancingConfig = [], methodConfig = [], healthCheckConfig, ...others } = config;
  const policies = loadBalancingConfig.map(toGrpcJsPolicy);
  return JSON.stringify(
    {
      ...others,
      loadBalancingConfig: healthCheckConfig === undefined ? policies : healthChecking(healthCheckConfig, policies),
      methodConfig: methodConfig.map(toGrpcJs),
    },
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
}

function healthChecking({ serviceName }: { readonly serviceName: string }, policies: readonly object[]): object[] {
  registerHealthCheckingPolicy();
  return [{ [HEALTH_CHECKING_POLICY]: { service_name: serviceName, child_policy: policies } }];
}

/** grpc-js 1.14 reads the decimals of a timeout as nanoseconds, '0.1s' as one of them: it is given the parsed form. */
function toGrpcJs({ timeout, ...others }: MethodConfig): object {
  return timeout === undefined ? others : { ...others, timeout: toDuration(timeout) };
}
