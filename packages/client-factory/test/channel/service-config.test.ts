import { experimental } from '@grpc/grpc-js';
// What a channel does with its option, which grpc-js does not export.
import { validateServiceConfig } from '@grpc/grpc-js/build/src/service-config.js';
import { describeValue } from '@grpc-di/call-context/opener';
import type { ServiceConfig } from '@grpc-di/client-factory';
import { LeafClient } from '@grpc-di/test-rig';
import { describe, expect, test } from '@jest/globals';
import { rpcsOf } from '../../dist/call/rpcs.js';
import { checkServiceConfig } from '../../dist/channel/check-service-config.js';
import { toServiceConfigOption } from '../../dist/channel/service-config.js';

const LEAF = 'grpc_di.test.v1.Leaf';

const RETRY = {
  maxAttempts: 3,
  initialBackoff: '0.1s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
} as const;

const HEDGE = { maxAttempts: 3 } as const;

const RIGHT: Array<[string, ServiceConfig]> = [
  ['nothing', {}],
  ['nothing in its lists', { loadBalancingConfig: [], methodConfig: [] }],
  [
    'undefined, which is nothing',
    { loadBalancingConfig: undefined, methodConfig: undefined, retryThrottling: undefined },
  ],
  ['retries', { methodConfig: [{ name: [{}], retryPolicy: RETRY }] }],
  ['more attempts than grpc-js counts', methods({ retryPolicy: { ...RETRY, maxAttempts: 100 } })],
  ['retries with numbers', methods({ retryPolicy: { ...RETRY, retryableStatusCodes: [14, 'ABORTED', 8] } })],
  ['a multiplier below 1', methods({ retryPolicy: { ...RETRY, backoffMultiplier: 0.5 } })],
  ['a constant back-off', methods({ retryPolicy: { ...RETRY, initialBackoff: '1s', backoffMultiplier: 1 } })],
  ['hedging', methods({ hedgingPolicy: HEDGE })],
  ['hedging, in full', methods({ hedgingPolicy: { maxAttempts: 2, hedgingDelay: '0s', nonFatalStatusCodes: [] } })],
  ['hedging, with codes', methods({ hedgingPolicy: { ...HEDGE, nonFatalStatusCodes: ['INTERNAL', 14] } })],
  ['the shortest timeout', methods({ timeout: '0.001s' })],
  ['the longest timeout', methods({ timeout: '1728000s' })],
  ['a timeout to the nanosecond', methods({ timeout: '1.123456789s' })],
  [
    'a method, its service, another service and all',
    {
      methodConfig: [
        { name: [{ service: LEAF, method: 'Unary' }, { service: LEAF }], timeout: '1s' },
        { name: [{ service: 'users.v1.Users', method: 'GetUser' }], timeout: '2s' },
        { name: [{}], timeout: '3s' },
      ],
    },
  ],
  ['throttling', { retryThrottling: { maxTokens: 10, tokenRatio: 0.1 } }],
  ['the least throttling', { retryThrottling: { maxTokens: 0.001, tokenRatio: 0.001 } }],
  ['the most throttling', { retryThrottling: { maxTokens: 1000, tokenRatio: 1000 } }],
  ['pick_first', { loadBalancingConfig: [{ pick_first: {} }] }],
  ['pick_first, shuffled', { loadBalancingConfig: [{ pick_first: { shuffleAddressList: true } }] }],
  ['pick_first with undefined', { loadBalancingConfig: [{ pick_first: { shuffleAddressList: undefined } }] }],
  ['round_robin', { loadBalancingConfig: [{ round_robin: {} }] }],
  ['weighted_round_robin', { loadBalancingConfig: [{ weighted_round_robin: {} }] }],
  [
    'weighted_round_robin in full',
    {
      loadBalancingConfig: [
        {
          weighted_round_robin: {
            enable_oob_load_report: true,
            oob_load_reporting_period: '5s',
            blackout_period: '0s',
            weight_expiration_period: '60.5s',
            weight_update_period: '0.5s',
            error_utilization_penalty: 0,
          },
        },
      ],
    },
  ],
  ['outlier_detection', { loadBalancingConfig: [{ outlier_detection: { child_policy: [{ round_robin: {} }] } }] }],
  [
    'outlier_detection in itself',
    {
      loadBalancingConfig: [
        {
          outlier_detection: {
            child_policy: [{ outlier_detection: { interval: '1s', child_policy: [{ round_robin: {} }] } }],
          },
        },
      ],
    },
  ],
  [
    'outlier_detection in full',
    {
      loadBalancingConfig: [
        {
          outlier_detection: {
            interval: '0.5s',
            base_ejection_time: '1s',
            max_ejection_time: '2.25s',
            max_ejection_percent: 100,
            success_rate_ejection: {
              stdev_factor: 0,
              enforcement_percentage: 0,
              minimum_hosts: 1,
              request_volume: 1,
            },
            failure_percentage_ejection: {
              threshold: 50.5,
              enforcement_percentage: 100,
              minimum_hosts: 1,
              request_volume: 1,
            },
            child_policy: [{ weighted_round_robin: { weight_update_period: '1s' } }],
          },
        },
      ],
    },
  ],
];

function methods(config: Omit<NonNullable<ServiceConfig['methodConfig']>[number], 'name'>): ServiceConfig {
  return { methodConfig: [{ name: [{}], ...config }] };
}

describe('a service config passes, and grpc-js takes all of it', () => {
  test.each(RIGHT)('%s', (_what, config) => {
    const frozen = deepFreeze(structuredClone(config));
    checkServiceConfig(frozen, rpcsOf(LeafClient));

    const option = JSON.parse(toServiceConfigOption(frozen));

    const parsed = validateServiceConfig(option);
    // Whatever is not in grpc-js's result is passed over.
    expect(parsed).toEqual(option);
    for (const policy of parsed.loadBalancingConfig) {
      experimental.parseLoadBalancingConfig(policy);
    }
  });
});

test.each([
  // grpc-js's own reading of '0.1s' is one nanosecond.
  ['0.1s', 100],
  ['0.05s', 50],
  ['0.000000001s', 0.000001],
  ['1.25s', 1_250],
  ['2s', 2_000],
  ['2.0s', 2_000],
  ['1.123456789s', 1_123.456789],
] as const)('a timeout of %s is %d ms for grpc-js', (timeout, ms) => {
  const { methodConfig } = validateServiceConfig(JSON.parse(toServiceConfigOption(methods({ timeout }))));

  const { seconds, nanos } = methodConfig[0]!.timeout!;
  expect(seconds * 1_000 + nanos / 1e6).toBeCloseTo(ms, 9);
});

test('durations of outlier_detection reach grpc-js', () => {
  const option = toServiceConfigOption({
    loadBalancingConfig: [{ outlier_detection: { interval: '0.5s', child_policy: [{ round_robin: {} }] } }],
  });

  const parsed = experimental.parseLoadBalancingConfig(JSON.parse(option).loadBalancingConfig[0]);
  expect(parsed.toJsonObject()).toMatchObject({
    outlier_detection: { interval: { seconds: 0, nanos: 500_000_000 }, base_ejection_time: { seconds: 30, nanos: 0 } },
  });
});

const METHOD = 'serviceConfig.methodConfig[0]';
const POLICY = 'serviceConfig.loadBalancingConfig[0]';

function method(part: object): unknown {
  return { methodConfig: [{ name: [{}], ...part }] };
}
function named(...names: unknown[]): unknown {
  return { methodConfig: [{ name: names }] };
}
function retry(part: object): unknown {
  return method({ retryPolicy: { ...RETRY, ...part } });
}
function hedge(part: object): unknown {
  return method({ hedgingPolicy: { ...HEDGE, ...part } });
}
function policy(config: object): unknown {
  return { loadBalancingConfig: [config] };
}
function outliers(part: object): unknown {
  return policy({ outlier_detection: { child_policy: [{ round_robin: {} }], ...part } });
}

const ATTEMPTS = 'an integer of 2 or more (grpc-js counts at most 5)';
const DURATION = "a duration in seconds such as '0.1s', 0.001s or more and at most 20 days ('1728000s')";
const DURATION_OR_NONE = "a duration in seconds such as '0.1s' and at most 20 days ('1728000s')";
const CODE = "the name of a gRPC status code other than OK, such as 'UNAVAILABLE', or its number";
const ONE_POLICY = 'an array of one load balancing policy, such as [{ round_robin: {} }]';
const NAMED_POLICY = 'an object with one key, the name of a load balancing policy, such as { round_robin: {} }';
const SERVICE = "the full protobuf name of a service, such as 'users.v1.Users'";

interface WrongValues {
  readonly at: string;
  readonly rule: string;
  readonly config: (value: never) => unknown;
  /** Those at which grpc-js's own parser throws, and with it the channel. */
  readonly found?: readonly unknown[];
  readonly passedOver?: readonly unknown[];
}

const WRONG_VALUES: WrongValues[] = [
  {
    at: 'serviceConfig',
    rule: "an object such as { methodConfig: [{ name: [{}], timeout: '2s' }] }",
    config: (value) => value,
    found: ['{}', null],
    passedOver: [[]],
  },
  {
    at: 'serviceConfig.methodConfig',
    rule: "an array of configs such as { name: [{}], timeout: '2s' }",
    config: (methodConfig) => ({ methodConfig }),
    passedOver: [{ name: [{}] }, null, 7],
  },
  {
    at: METHOD,
    rule: "an object such as { name: [{ service: 'users.v1.Users' }], timeout: '2s' }",
    config: (value) => ({ methodConfig: [value] }),
    found: [null, 'users.v1.Users'],
  },
  {
    at: `${METHOD}.name`,
    rule: "an array of at least one name, such as [{ service: 'users.v1.Users' }], or [{}] for all methods",
    config: (name) => ({ methodConfig: [{ name }] }),
    found: [undefined, { service: 'users.v1.Users' }],
    passedOver: [[]],
  },
  {
    at: `${METHOD}.name[0]`,
    rule: "an object such as { service: 'users.v1.Users', method: 'GetUser' }",
    config: (name) => named(name),
    found: ['users.v1.Users', null],
  },
  {
    at: `${METHOD}.name[0].service`,
    rule: SERVICE,
    config: (service) => named({ service }),
    found: [7, null],
    passedOver: ['', '/users.v1.Users', 'users.v1.Users/GetUser'],
  },
  {
    at: `${METHOD}.name[0].method`,
    rule: "the protobuf name of a method, such as 'GetUser'",
    config: (value) => named({ service: 'users.v1.Users', method: value }),
    found: [7],
    passedOver: ['', '/GetUser'],
  },
  {
    at: `${METHOD}.timeout`,
    rule: DURATION,
    config: (timeout) => method({ timeout }),
    found: [500, '500ms', '1', '.5s', '-1s', '1e3s', '0.1234567891s', null, { seconds: 1 }],
    passedOver: ['0s', '0.0009s', '1728001s', '99999999999s', { seconds: 1, nanos: 0 }],
  },
  {
    at: `${METHOD}.retryPolicy`,
    rule: "an object such as { maxAttempts: 3, initialBackoff: '0.1s', maxBackoff: '1s', backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE'] }",
    config: (retryPolicy) => method({ retryPolicy }),
    found: [true, null, 3],
  },
  {
    at: `${METHOD}.retryPolicy.maxAttempts`,
    rule: ATTEMPTS,
    config: (maxAttempts) => retry({ maxAttempts }),
    found: [1, 2.5, '3', 3n, NaN, Infinity, null, undefined],
  },
  {
    at: `${METHOD}.retryPolicy.initialBackoff`,
    rule: DURATION,
    config: (initialBackoff) => retry({ initialBackoff }),
    found: [0.1, '100ms', undefined],
    passedOver: ['0s'],
  },
  {
    at: `${METHOD}.retryPolicy.maxBackoff`,
    rule: DURATION,
    config: (maxBackoff) => retry({ maxBackoff }),
    found: [1, undefined],
    // A longer timer than Node has fires at once.
    passedOver: ['3000000s'],
  },
  {
    at: `${METHOD}.retryPolicy.backoffMultiplier`,
    rule: 'a number greater than 0',
    config: (backoffMultiplier) => retry({ backoffMultiplier }),
    found: [0, -1, '2', Infinity, undefined],
  },
  {
    at: `${METHOD}.retryPolicy.retryableStatusCodes`,
    rule: "an array of at least one status code, such as ['UNAVAILABLE']",
    config: (retryableStatusCodes) => retry({ retryableStatusCodes }),
    found: ['UNAVAILABLE', [], undefined],
  },
  {
    at: `${METHOD}.retryPolicy.retryableStatusCodes[1]`,
    rule: CODE,
    config: (code) => retry({ retryableStatusCodes: ['ABORTED', code] }),
    found: ['UNAVAILABEL', '14x', 17, -1, 1.5, null],
    passedOver: ['OK', 0, 'unavailable'],
  },
  {
    at: `${METHOD}.hedgingPolicy`,
    rule: "an object such as { maxAttempts: 3, hedgingDelay: '0.1s' }",
    config: (hedgingPolicy) => method({ hedgingPolicy }),
    found: [true],
  },
  {
    at: `${METHOD}.hedgingPolicy.maxAttempts`,
    rule: ATTEMPTS,
    config: (maxAttempts) => hedge({ maxAttempts }),
    found: [1],
  },
  {
    at: `${METHOD}.hedgingPolicy.hedgingDelay`,
    rule: DURATION_OR_NONE,
    config: (hedgingDelay) => hedge({ hedgingDelay }),
    found: [100, '-1s'],
  },
  {
    at: `${METHOD}.hedgingPolicy.nonFatalStatusCodes`,
    rule: "an array of status codes such as ['UNAVAILABLE']",
    config: (nonFatalStatusCodes) => hedge({ nonFatalStatusCodes }),
    passedOver: ['UNAVAILABLE', 14],
  },
  {
    at: `${METHOD}.hedgingPolicy.nonFatalStatusCodes[0]`,
    rule: CODE,
    config: (code) => hedge({ nonFatalStatusCodes: [code] }),
    found: ['NOPE', 17],
    passedOver: ['OK'],
  },
  {
    at: 'serviceConfig.retryThrottling',
    rule: 'an object such as { maxTokens: 10, tokenRatio: 0.1 }',
    config: (retryThrottling) => ({ retryThrottling }),
    found: [5, null],
  },
  {
    at: 'serviceConfig.retryThrottling.maxTokens',
    rule: 'a number from 0.001 to 1000',
    config: (maxTokens) => ({ retryThrottling: { maxTokens, tokenRatio: 1 } }),
    found: [0, -1, 1000.5, '10', undefined],
    // Which is 0 in three decimals.
    passedOver: [0.0001],
  },
  {
    at: 'serviceConfig.retryThrottling.tokenRatio',
    rule: 'a number of 0.001 or more',
    config: (tokenRatio) => ({ retryThrottling: { maxTokens: 10, tokenRatio } }),
    found: [0, '1', undefined],
    passedOver: [0.0001],
  },
  {
    at: 'serviceConfig.loadBalancingConfig',
    rule: ONE_POLICY,
    config: (loadBalancingConfig) => ({ loadBalancingConfig }),
    found: ['round_robin', { round_robin: {} }, null],
    // It takes the first that it knows.
    passedOver: [[{ pick_first: {} }, { round_robin: {} }]],
  },
  {
    at: POLICY,
    rule: NAMED_POLICY,
    config: (value) => policy(value),
    found: ['round_robin', {}, { round_robin: {}, pick_first: {} }, null],
  },
  {
    at: `${POLICY}.round_robin`,
    rule: 'an object such as {}',
    config: (round_robin) => policy({ round_robin }),
    passedOver: [true, null],
  },
  {
    at: `${POLICY}.pick_first.shuffleAddressList`,
    rule: 'a boolean',
    config: (shuffleAddressList) => policy({ pick_first: { shuffleAddressList } }),
    passedOver: [1, 'true', null],
  },
  {
    at: `${POLICY}.weighted_round_robin.weight_update_period`,
    rule: DURATION_OR_NONE,
    config: (weight_update_period) => policy({ weighted_round_robin: { weight_update_period } }),
    passedOver: [1, '1m'],
  },
  {
    at: `${POLICY}.weighted_round_robin.error_utilization_penalty`,
    rule: 'a number of 0 or more',
    config: (error_utilization_penalty) => policy({ weighted_round_robin: { error_utilization_penalty } }),
    passedOver: [-1, NaN],
  },
  {
    at: `${POLICY}.outlier_detection`,
    rule: 'an object such as { failure_percentage_ejection: {}, child_policy: [{ round_robin: {} }] }',
    config: (outlier_detection) => policy({ outlier_detection }),
    passedOver: [true],
  },
  {
    at: `${POLICY}.outlier_detection.interval`,
    rule: DURATION,
    config: (interval) => outliers({ interval }),
    passedOver: [1, '0s', { seconds: 1, nanos: 0 }],
  },
  {
    at: `${POLICY}.outlier_detection.max_ejection_percent`,
    rule: 'a number from 0 to 100',
    config: (max_ejection_percent) => outliers({ max_ejection_percent }),
    passedOver: [-1, 101, '10'],
  },
  {
    at: `${POLICY}.outlier_detection.failure_percentage_ejection.minimum_hosts`,
    rule: 'an integer of 0 or more',
    config: (minimum_hosts) => outliers({ failure_percentage_ejection: { minimum_hosts } }),
    passedOver: [-1, 1.5],
  },
  {
    at: `${POLICY}.outlier_detection.child_policy`,
    rule: ONE_POLICY,
    config: (child_policy) => outliers({ child_policy }),
    passedOver: [undefined, [], [{ round_robin: {} }, { weighted_round_robin: {} }]],
  },
];

describe.each(WRONG_VALUES)('$at', ({ at, rule, config, found = [], passedOver = [] }) => {
  test.each([...found.map((value) => [value, true] as const), ...passedOver.map((value) => [value, false] as const)])(
    'is not %p',
    (value, isFound) => {
      const wrong = config(value as never);

      expect(() => check(wrong)).toThrow(new TypeError(`${at} must be ${rule}, not ${describeValue(value)}`));
      expect(isFoundByGrpcJs(wrong)).toBe(isFound);
    },
  );
});

const UNARY = { service: LEAF, method: 'Unary' };
const NAMED_ONCE = 'a method, a service, or {} for all, is named once';

/** What does not fit together, or has no effect; whether grpc-js's own parser finds it. */
const MISTAKES: Array<[mistake: string, config: unknown, message: string, isFound: boolean]> = [
  [
    'a method without its service',
    named({ method: 'GetUser' }),
    `${METHOD}.name[0] has a method without its service: write { service: 'users.v1.Users', method: 'GetUser' }`,
    true,
  ],
  [
    'a method named twice',
    { methodConfig: [{ name: [UNARY] }, { name: [{}, UNARY] }] },
    `serviceConfig.methodConfig[1].name[1] names what ${METHOD}.name[0] names: ${NAMED_ONCE}`,
    true,
  ],
  [
    'all methods named twice',
    named({}, {}),
    `${METHOD}.name[1] names what ${METHOD}.name[0] names: ${NAMED_ONCE}`,
    true,
  ],
  [
    'the name of a method in the class',
    named({ service: LEAF, method: 'unary' }),
    `${METHOD}.name[0].method 'unary' is no method of ${LEAF}; there are Unary, ServerStream, ClientStream, Bidi`,
    false,
  ],
  [
    'the service without its package',
    named({ service: 'Leaf' }),
    `${METHOD}.name[0].service 'Leaf' must be the full protobuf name: write '${LEAF}'`,
    false,
  ],
  [
    'the service in another case',
    named({ service: 'grpc_di.test.v1.leaf' }),
    `${METHOD}.name[0].service 'grpc_di.test.v1.leaf' must be the full protobuf name: write '${LEAF}'`,
    false,
  ],
  [
    'retries and hedging',
    method({ retryPolicy: RETRY, hedgingPolicy: HEDGE }),
    `${METHOD} has both a retryPolicy and a hedgingPolicy: a method has one of them`,
    true,
  ],
  [
    'a first back-off longer than the longest',
    retry({ initialBackoff: '2s' }),
    `${METHOD}.retryPolicy.initialBackoff ('2s') is longer than its maxBackoff ('1s')`,
    false,
  ],
  [
    'waitForReady',
    method({ waitForReady: true }),
    `${METHOD}.waitForReady has no effect: grpc-js does not read it. Write waitForReady beside serviceConfig, or in methods`,
    false,
  ],
  [
    'maxRequestBytes',
    method({ maxRequestBytes: 1 }),
    `${METHOD}.maxRequestBytes has no effect: grpc-js does not read it. Write channelOptions: { 'grpc.max_send_message_length': <bytes> }`,
    false,
  ],
  [
    'maxResponseBytes',
    method({ maxResponseBytes: 1 }),
    `${METHOD}.maxResponseBytes has no effect: grpc-js does not read it. Write channelOptions: { 'grpc.max_receive_message_length': <bytes> }`,
    false,
  ],
  [
    'loadBalancingPolicy',
    { loadBalancingPolicy: 'round_robin' },
    'serviceConfig.loadBalancingPolicy has no effect: grpc-js does not read it. Write loadBalancingConfig: [{ round_robin: {} }]',
    false,
  ],
  [
    'healthCheckConfig with pick_first',
    { healthCheckConfig: { serviceName: '' } },
    'serviceConfig.healthCheckConfig has no effect with pick_first: write loadBalancingConfig: [{ round_robin: {} }] beside it',
    false,
  ],
  [
    'healthCheckConfig without a service',
    { healthCheckConfig: {}, loadBalancingConfig: [{ round_robin: {} }] },
    "serviceConfig.healthCheckConfig.serviceName must be the full protobuf name of a service, such as 'users.v1.Users', or '' for the server as a whole, not undefined",
    false,
  ],
  [
    'a load balancing policy that nobody knows',
    policy({ least_request: {} }),
    `${POLICY}.least_request is no load balancing policy that grpc-js knows; there are pick_first, round_robin, weighted_round_robin, outlier_detection, and those that were registered`,
    false,
  ],
  [
    'pick_first under outlier_detection',
    outliers({ child_policy: [{ pick_first: {} }] }),
    `${POLICY} is refused by grpc-js: outlier_detection: outlier_detection LB policy cannot have a pick_first child policy`,
    false,
  ],
  ...unknownKeys(),
];

function unknownKeys(): typeof MISTAKES {
  const keys: Array<[config: unknown, at: string, there: string]> = [
    [
      { methodConfigs: [] },
      'serviceConfig.methodConfigs',
      'there are loadBalancingConfig, methodConfig, retryThrottling, healthCheckConfig',
    ],
    [method({ retrypolicy: RETRY }), `${METHOD}.retrypolicy`, 'there are name, timeout, retryPolicy, hedgingPolicy'],
    [named({ service: 'a.B', methods: ['C'] }), `${METHOD}.name[0].methods`, 'there are service, method'],
    [
      retry({ constructor: 1 }),
      `${METHOD}.retryPolicy.constructor`,
      'there are maxAttempts, initialBackoff, maxBackoff, backoffMultiplier, retryableStatusCodes',
    ],
    [
      hedge({ delay: '1s' }),
      `${METHOD}.hedgingPolicy.delay`,
      'there are maxAttempts, hedgingDelay, nonFatalStatusCodes',
    ],
    [policy({ round_robin: { shuffle: true } }), `${POLICY}.round_robin.shuffle`, 'it has no keys'],
    [
      outliers({ maxEjectionPercent: 10 }),
      `${POLICY}.outlier_detection.maxEjectionPercent`,
      'there are interval, base_ejection_time, max_ejection_time, max_ejection_percent, success_rate_ejection, failure_percentage_ejection, child_policy',
    ],
  ];
  return keys.map(([config, at, there]) => [`unknown key ${at}`, config, `${at} is unknown; ${there}`, false]);
}

test.each(MISTAKES)('%s is an error', (_mistake, config, message, isFound) => {
  expect(() => check(config)).toThrow(new Error(message));
  expect(isFoundByGrpcJs(config)).toBe(isFound);
});

function check(config: unknown): void {
  checkServiceConfig(config as ServiceConfig, rpcsOf(LeafClient));
}

/** Where this changes, grpc-js has learned to find a mistake, or to read a key. */
function isFoundByGrpcJs(config: unknown): boolean {
  try {
    validateServiceConfig(
      JSON.parse(JSON.stringify(config, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part))),
    );
    return false;
  } catch {
    return true;
  }
}

test('the rpcs of a client that are not known leave all names be', () => {
  checkServiceConfig({ methodConfig: [{ name: [{ service: LEAF, method: 'unary' }], timeout: '1s' }] });
});

describe('a load balancing policy that was registered', () => {
  class OwnConfig {
    getLoadBalancerName(): string {
      return 'own_policy';
    }
    toJsonObject(): object {
      return {};
    }
    static createFromJson(config: { weight?: unknown }): OwnConfig {
      if (typeof config.weight !== 'string') {
        throw new Error('weight is no string');
      }
      return new OwnConfig();
    }
  }
  experimental.registerLoadBalancerType('own_policy', class {} as never, OwnConfig);

  test('passes, with int64 as protobuf writes it in JSON', () => {
    const config = { loadBalancingConfig: [{ own_policy: { weight: 2n ** 60n } }] } as unknown as ServiceConfig;
    checkServiceConfig(config);

    expect(JSON.parse(toServiceConfigOption(config)).loadBalancingConfig).toEqual([
      { own_policy: { weight: '1152921504606846976' } },
    ]);
  });

  test('is held to its own parser', () => {
    const config = { loadBalancingConfig: [{ own_policy: { weight: 1 } }] } as unknown as ServiceConfig;

    expect(() => checkServiceConfig(config)).toThrow(
      new Error(`${POLICY} is refused by grpc-js: own_policy: weight is no string`),
    );
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
