import { status } from '@grpc/grpc-js';
import type { ServiceConfig } from '@grpc-di/client-factory';
import { accept } from './expect-type.js';

// Nothing here runs: tsc checks it.

const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: '0.1s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE', status.ABORTED, 8],
} as const;

accept<ServiceConfig>({});
accept<ServiceConfig>({
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    { name: [{}], timeout: '2s', retryPolicy },
    {
      name: [{ service: 'users.v1.Users' }, { service: 'users.v1.Users', method: 'GetUser' }],
      hedgingPolicy: { maxAttempts: 2, hedgingDelay: `${0.1}s`, nonFatalStatusCodes: ['UNAVAILABLE'] },
    },
  ],
  retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
});
accept<ServiceConfig>(Object.freeze({ methodConfig: Object.freeze([{ name: [{}], retryPolicy }]) }));
accept<ServiceConfig>({
  loadBalancingConfig: [
    { outlier_detection: { failure_percentage_ejection: {}, child_policy: [{ weighted_round_robin: {} }] } },
  ],
});

// @ts-expect-error a method needs its service
accept<ServiceConfig>({ methodConfig: [{ name: [{ method: 'GetUser' }] }] });
// @ts-expect-error a config needs a name
accept<ServiceConfig>({ methodConfig: [{ timeout: '1s' }] });
// @ts-expect-error a duration has its unit
accept<ServiceConfig>({ methodConfig: [{ name: [{}], timeout: '1000' }] });
// @ts-expect-error a duration is no number
accept<ServiceConfig>({ methodConfig: [{ name: [{}], timeout: 1_000 }] });
// @ts-expect-error a misspelt key
accept<ServiceConfig>({ methodConfig: [{ name: [{}], retrypolicy: retryPolicy }] });
// @ts-expect-error what grpc-js does not read
accept<ServiceConfig>({ methodConfig: [{ name: [{}], waitForReady: true }] });
accept<ServiceConfig>({ healthCheckConfig: { serviceName: '' }, loadBalancingConfig: [{ round_robin: {} }] });
// @ts-expect-error the service must be named
accept<ServiceConfig>({ healthCheckConfig: {} });
// @ts-expect-error a policy that grpc-js does not know
accept<ServiceConfig>({ loadBalancingConfig: [{ roundrobin: {} }] });
// @ts-expect-error a key that the policy does not have
accept<ServiceConfig>({ loadBalancingConfig: [{ pick_first: { shuffle: true } }] });
const ok = { ...retryPolicy, retryableStatusCodes: ['OK'] } as const;
// @ts-expect-error OK is no failure
accept<ServiceConfig>({ methodConfig: [{ name: [{}], retryPolicy: ok }] });
