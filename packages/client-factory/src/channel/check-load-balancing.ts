import { experimental } from '@grpc/grpc-js';
import type { LoadBalancingConfig } from './load-balancing-config.js';
import { toServiceConfigOption } from './service-config.js';
import { arrayOf, boolean, type Check, duration, fails, number, object } from './shape-checks.js';

const ONE_POLICY = 'one load balancing policy, such as [{ round_robin: {} }]';

/**
 * grpc-js takes the first policy of a list that it can parse, pick_first where there is none, and says nothing: what it
 * would pass over is an error here.
 */
export const checkLoadBalancing = arrayOf(policy, ONE_POLICY, 0, 1);

function policy(value: unknown, path: string): void {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const [policyName, another] = names;
  if (policyName === undefined || another !== undefined) {
    fails(path, 'an object with one key, the name of a load balancing policy, such as { round_robin: {} }', value);
  }
  if (!experimental.isLoadBalancerNameRegistered(policyName)) {
    const known = Object.keys(POLICIES).filter(experimental.isLoadBalancerNameRegistered);
    throw new Error(
      `${path}.${policyName} is no load balancing policy that grpc-js knows; there are ${known.join(', ')}, and those that were registered`,
    );
  }
  if (Object.hasOwn(POLICIES, policyName)) {
    POLICIES[policyName]!((value as Record<string, unknown>)[policyName], `${path}.${policyName}`);
  }
  try {
    const option = toServiceConfigOption({ loadBalancingConfig: [value as LoadBalancingConfig] });
    experimental.parseLoadBalancingConfig(JSON.parse(option).loadBalancingConfig[0]);
  } catch (error) {
    throw new Error(`${path} is refused by grpc-js: ${(error as Error).message}`);
  }
}

const percentage = { optional: number('a number from 0 to 100', (value) => value >= 0 && value <= 100) };
const count = { optional: number('an integer of 0 or more', (value) => Number.isInteger(value) && value >= 0) };

/** grpc-js's own parsers pass over keys that they do not know. */
const POLICIES: Record<string, Check> = {
  pick_first: object({ shuffleAddressList: { optional: boolean } }, '{}'),
  round_robin: object({}, '{}'),
  weighted_round_robin: object(
    {
      enable_oob_load_report: { optional: boolean },
      oob_load_reporting_period: { optional: duration(0.001) },
      blackout_period: { optional: duration(0) },
      weight_expiration_period: { optional: duration(0) },
      weight_update_period: { optional: duration(0) },
      error_utilization_penalty: { optional: number('a number of 0 or more', (value) => value >= 0) },
    },
    '{}',
  ),
  outlier_detection: object(
    {
      interval: { optional: duration(0.001) },
      base_ejection_time: { optional: duration(0) },
      max_ejection_time: { optional: duration(0) },
      max_ejection_percent: percentage,
      success_rate_ejection: {
        optional: object(
          { stdev_factor: count, enforcement_percentage: percentage, minimum_hosts: count, request_volume: count },
          '{}',
        ),
      },
      failure_percentage_ejection: {
        optional: object(
          { threshold: percentage, enforcement_percentage: percentage, minimum_hosts: count, request_volume: count },
          '{}',
        ),
      },
      child_policy: arrayOf(policy, ONE_POLICY, 1, 1),
    },
    '{ failure_percentage_ejection: {}, child_policy: [{ round_robin: {} }] }',
  ),
};
