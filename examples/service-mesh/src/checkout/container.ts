import { configureGrpcClientDefaults, createGrpcClient } from '@grpc-di/client-factory';
import { Container } from 'inversify';
import { TokenCredentials } from '../auth/token-credentials.js';
import { Tokens } from '../auth/tokens.js';
import { StockClient } from '../generated/store/v1/stock.js';
import { CallLog } from './call-log.js';
import { TenantAddresses } from './checkout.js';
import { RequestLog } from './request-log.js';

export interface CheckoutSettings {
  /** One target with the addresses of all instances, such as `ipv4:10.0.0.7:50051,10.0.0.8:50051`; or a DNS name that has them. */
  europe: string;
  us: string;
  tenants: Record<string, string>;
}

export function checkoutContainer({ europe, us, tenants }: CheckoutSettings): Container {
  const container = new Container();
  configureGrpcClientDefaults(container, {
    timeoutMs: 6_000,
    enableCallContextPropagation: true,
    callCredentials: [TokenCredentials],
    // The example runs on one machine, where no certificate is. With https addresses this line goes.
    unsafeUseInsecureChannelCallCredentials: true,
    interceptors: [{ interceptor: CallLog, scope: 'client' }],
    serviceConfig: {
      loadBalancingConfig: [{ round_robin: {} }],
      methodConfig: [
        {
          // Reserving may be called again for an order: the .proto says so.
          name: [{ service: 'store.v1.Stock', method: 'Reserve' }],
          retryPolicy: {
            maxAttempts: 4,
            initialBackoff: '0.05s',
            maxBackoff: '0.5s',
            backoffMultiplier: 2,
            // CANCELLED is what a grpc-js server says when it is cut with forceShutdown(). An own cancel is never retried.
            retryableStatusCodes: ['UNAVAILABLE', 'CANCELLED'],
          },
        },
      ],
    },
  });
  createGrpcClient(container, StockClient, { name: 'eu', address: europe });
  createGrpcClient(container, StockClient, { name: 'us', address: us });

  container.bind(TenantAddresses).toConstantValue(new TenantAddresses(Object.entries(tenants)));
  container.bind(Tokens).toSelf().inSingletonScope();
  container.bind(TokenCredentials).toSelf().inSingletonScope();
  container.bind(RequestLog).toSelf().inRequestScope();
  container.bind(CallLog).toSelf().inTransientScope();
  return container;
}
