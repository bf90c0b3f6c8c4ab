import { status } from '@grpc/grpc-js';
import { checkLoadBalancing } from './check-load-balancing.js';
import type { MethodConfig, ServiceConfig } from './service-config.js';
import { arrayOf, type Check, duration, fails, number, object } from './shape-checks.js';

/**
 * grpc-js fails the channel for some mistakes, and passes over others in silence, such as a misspelt key or a load
 * balancing policy that it does not know: both are found here.
 *
 * @param rpcs those of the client, whose service's methods are held against the names; of other services, which may
 * share the channel, nothing is known.
 * @throws TypeError or Error with the path of what is wrong, without the client's name.
 */
export function checkServiceConfig(config: ServiceConfig, rpcs: ReadonlyArray<{ readonly path: string }> = []): void {
  SERVICE_CONFIG(config, 'serviceConfig');
  checkNames(config.methodConfig ?? [], rpcs);
  const [policy = { pick_first: {} }] = config.loadBalancingConfig ?? [];
  if (config.healthCheckConfig !== undefined && 'pick_first' in policy) {
    throw new Error(
      'serviceConfig.healthCheckConfig has no effect with pick_first: write loadBalancingConfig: [{ round_robin: {} }] beside it',
    );
  }
}

const statusCode: Check = (value, path) => {
  // The enum holds its names and its numbers; as a name, a number would be `'14'`.
  const code = typeof value === 'string' ? status[value as keyof typeof status] : value;
  if (typeof code !== 'number' || status[code] === undefined || code === status.OK) {
    fails(path, "the name of a gRPC status code other than OK, such as 'UNAVAILABLE', or its number", value);
  }
};

/** A shorter time counts as none in grpc-js. */
const aMillisecondOrMore = duration(0.001);

const attempts = number(
  'an integer of 2 or more (grpc-js counts at most 5)',
  (value) => Number.isInteger(value) && value >= 2,
);

const checkRetryPolicy = object(
  {
    maxAttempts: attempts,
    initialBackoff: aMillisecondOrMore,
    maxBackoff: aMillisecondOrMore,
    backoffMultiplier: number('a number greater than 0', (value) => value > 0),
    retryableStatusCodes: arrayOf(statusCode, "at least one status code, such as ['UNAVAILABLE']", 1),
  },
  "{ maxAttempts: 3, initialBackoff: '0.1s', maxBackoff: '1s', backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE'] }",
);

const checkHedgingPolicy = object(
  {
    maxAttempts: attempts,
    hedgingDelay: { optional: duration(0) },
    nonFatalStatusCodes: { optional: arrayOf(statusCode, "status codes such as ['UNAVAILABLE']") },
  },
  "{ maxAttempts: 3, hedgingDelay: '0.1s' }",
);

const serviceName: Check = (value, path) => {
  if (typeof value !== 'string' || !/^[\w.]+$/.test(value)) {
    fails(path, "the full protobuf name of a service, such as 'users.v1.Users'", value);
  }
};

const methodName: Check = (value, path) => {
  if (typeof value !== 'string' || !/^\w+$/.test(value)) {
    fails(path, "the protobuf name of a method, such as 'GetUser'", value);
  }
};

const checkNameFields = object(
  { service: { optional: serviceName }, method: { optional: methodName } },
  "{ service: 'users.v1.Users', method: 'GetUser' }",
);

const name: Check = (value, path) => {
  checkNameFields(value, path);
  const { service, method } = value as { service?: string; method?: string };
  if (method !== undefined && service === undefined) {
    throw new Error(
      `${path} has a method without its service: write { service: 'users.v1.Users', method: '${method}' }`,
    );
  }
};

const checkMethodFields = object(
  {
    name: arrayOf(name, "at least one name, such as [{ service: 'users.v1.Users' }], or [{}] for all methods", 1),
    timeout: { optional: aMillisecondOrMore },
    retryPolicy: { optional: checkRetryPolicy },
    hedgingPolicy: { optional: checkHedgingPolicy },
    waitForReady: { ignored: 'grpc-js does not read it. Write waitForReady beside serviceConfig, or in methods' },
    maxRequestBytes: {
      ignored: "grpc-js does not read it. Write channelOptions: { 'grpc.max_send_message_length': <bytes> }",
    },
    maxResponseBytes: {
      ignored: "grpc-js does not read it. Write channelOptions: { 'grpc.max_receive_message_length': <bytes> }",
    },
  },
  "{ name: [{ service: 'users.v1.Users' }], timeout: '2s' }",
);

const methodConfig: Check = (value, path) => {
  checkMethodFields(value, path);
  const { retryPolicy, hedgingPolicy } = value as MethodConfig;
  if (retryPolicy !== undefined && hedgingPolicy !== undefined) {
    throw new Error(`${path} has both a retryPolicy and a hedgingPolicy: a method has one of them`);
  }
  if (retryPolicy !== undefined && seconds(retryPolicy.initialBackoff) > seconds(retryPolicy.maxBackoff)) {
    // grpc-js would wait the longer one before the first retry.
    throw new Error(
      `${path}.retryPolicy.initialBackoff ('${retryPolicy.initialBackoff}') is longer than its maxBackoff ('${retryPolicy.maxBackoff}')`,
    );
  }
};

function seconds(text: string): number {
  return Number(text.slice(0, -1));
}

const healthCheckedService: Check = (value, path) => {
  if (typeof value !== 'string') {
    fails(
      path,
      "the full protobuf name of a service, such as 'users.v1.Users', or '' for the server as a whole",
      value,
    );
  }
};

const SERVICE_CONFIG = object(
  {
    loadBalancingConfig: { optional: checkLoadBalancing },
    methodConfig: { optional: arrayOf(methodConfig, "configs such as { name: [{}], timeout: '2s' }") },
    retryThrottling: {
      optional: object(
        {
          // grpc-js rounds both to three decimals.
          maxTokens: number('a number from 0.001 to 1000', (value) => value >= 0.001 && value <= 1_000),
          tokenRatio: number('a number of 0.001 or more', (value) => value >= 0.001),
        },
        '{ maxTokens: 10, tokenRatio: 0.1 }',
      ),
    },
    loadBalancingPolicy: { ignored: 'grpc-js does not read it. Write loadBalancingConfig: [{ round_robin: {} }]' },
    healthCheckConfig: {
      optional: object({ serviceName: healthCheckedService }, "{ serviceName: 'users.v1.Users' }"),
    },
  },
  "{ methodConfig: [{ name: [{}], timeout: '2s' }] }",
);

/** No name twice, and none of the client's own service that is misspelt: grpc-js would never find it. */
function checkNames(configs: readonly MethodConfig[], rpcs: ReadonlyArray<{ readonly path: string }>): void {
  const methods = methodsByService(rpcs);
  const seen = new Map<string, string>();
  for (const [index, config] of configs.entries()) {
    for (const [nameIndex, { service = '', method = '' }] of config.name.entries()) {
      const path = `serviceConfig.methodConfig[${index}].name[${nameIndex}]`;
      const key = `${service}/${method}`;
      const earlier = seen.get(key);
      if (earlier !== undefined) {
        throw new Error(`${path} names what ${earlier} names: a method, a service, or {} for all, is named once`);
      }
      seen.set(key, path);
      checkService(service, path, [...methods.keys()]);
      const known = methods.get(service);
      if (method !== '' && known?.includes(method) === false) {
        throw new Error(`${path}.method '${method}' is no method of ${service}; there are ${known.join(', ')}`);
      }
    }
  }
}

/** Another service is no mistake, but the client's own without its package is, or in the wrong case. */
function checkService(service: string, path: string, own: readonly string[]): void {
  const meant = own.find((known) => `.${known}`.toLowerCase().endsWith(`.${service}`.toLowerCase()));
  if (meant !== undefined && !own.includes(service)) {
    throw new Error(`${path}.service '${service}' must be the full protobuf name: write '${meant}'`);
  }
}

function methodsByService(rpcs: ReadonlyArray<{ readonly path: string }>): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { path } of rpcs) {
    const [, service = '', method = ''] = path.split('/');
    methods.set(service, [...(methods.get(service) ?? []), method]);
  }
  return methods;
}
