import { type Duration, type DurationText, toDuration } from './duration.js';

export type LoadBalancingConfig = {
  [Policy in keyof LoadBalancingPolicies]: { readonly [Name in Policy]: LoadBalancingPolicies[Policy] };
}[keyof LoadBalancingPolicies];

/** The policies that grpc-js brings, with the keys as it reads them. */
export interface LoadBalancingPolicies {
  /** All calls to the first address that can be reached. */
  readonly pick_first: { readonly shuffleAddressList?: boolean };
  /** Each call to the next address. */
  readonly round_robin: Readonly<Record<string, never>>;
  /** Round robin by the load that the servers report (gRFC A58). */
  readonly weighted_round_robin: WeightedRoundRobin;
  /** Leaves out addresses that fail more often than the others (gRFC A50). */
  readonly outlier_detection: OutlierDetection;
}

export interface WeightedRoundRobin {
  /** Whether loads come out of band. Default `false`: with each call's trailers. */
  readonly enable_oob_load_report?: boolean;
  /** Default 10 s. */
  readonly oob_load_reporting_period?: DurationText;
  /** How long a server must have reported before its weight counts. Default 10 s. */
  readonly blackout_period?: DurationText;
  /** How long a weight counts without a new report. Default 3 minutes. */
  readonly weight_expiration_period?: DurationText;
  /** Default 1 s, at least 0.1 s. */
  readonly weight_update_period?: DurationText;
  /** 0 or more. Default 1. */
  readonly error_utilization_penalty?: number;
}

export interface OutlierDetection {
  /** Default 10 s. */
  readonly interval?: DurationText;
  /** Default 30 s; times the number of ejections of the address. */
  readonly base_ejection_time?: DurationText;
  /** Default 5 minutes. */
  readonly max_ejection_time?: DurationText;
  /** Default 10; one address may always be left out. */
  readonly max_ejection_percent?: number;
  /** `{}` for the defaults. Without this and `failure_percentage_ejection` no address is left out. */
  readonly success_rate_ejection?: {
    /** In thousandths. Default 1900. */
    readonly stdev_factor?: number;
    /** Default 100. */
    readonly enforcement_percentage?: number;
    /** Default 5. */
    readonly minimum_hosts?: number;
    /** Default 100. */
    readonly request_volume?: number;
  };
  readonly failure_percentage_ejection?: {
    /** Default 85. */
    readonly threshold?: number;
    /** Default 100. */
    readonly enforcement_percentage?: number;
    /** Default 5. */
    readonly minimum_hosts?: number;
    /** Default 50. */
    readonly request_volume?: number;
  };
  /** One policy, other than `pick_first`. */
  readonly child_policy: readonly LoadBalancingConfig[];
}

/** One policy as grpc-js parses it: its outlier detection knows no durations as text, and it would take pick_first instead. */
export function toGrpcJsPolicy(config: LoadBalancingConfig): object {
  if (!('outlier_detection' in config)) {
    return config;
  }
  const { child_policy, interval, base_ejection_time, max_ejection_time, ...others } = config.outlier_detection;
  return {
    outlier_detection: {
      ...others,
      ...durations({ interval, base_ejection_time, max_ejection_time }),
      child_policy: child_policy.map(toGrpcJsPolicy),
    },
  };
}

function durations(texts: Record<string, DurationText | undefined>): Record<string, Duration> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, toDuration(text)]])),
  );
}
